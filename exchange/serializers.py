"""Orders and trades as JSON: money as text in plain digits, times in UTC."""

from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange.models import ExchangeOrder

SIDES = ("BUY", "SELL")


@extend_schema_field({"type": "string", "format": "decimal", "pattern": r"^-?\d+(\.\d+)?$"})
class PlainDecimal(serializers.DecimalField):
    """Every digit we have, never a float and never an exponent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=None, decimal_places=None, coerce_to_string=True, **kwargs)


class UtcTime(serializers.DateTimeField):
    """ISO 8601 with Z."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class ErrorSerializer(serializers.Serializer[Any]):
    """Why something was refused, in words."""

    detail = serializers.CharField()


class OpenOrderSerializer(serializers.Serializer[Any]):
    """An `OrderRow` on the dashboard."""

    order_id = serializers.CharField()
    exchange_order_id = serializers.CharField(allow_null=True)
    client_oid = serializers.CharField(allow_null=True)
    instrument_name = serializers.CharField()
    side = serializers.ChoiceField(SIDES)
    order_type = serializers.CharField()
    order_role = serializers.ChoiceField(ExchangeOrder.Role.choices, allow_null=True)
    origin = serializers.ChoiceField(ExchangeOrder.Origin.choices)
    status = serializers.CharField()
    price = PlainDecimal(allow_null=True)
    trigger_price = PlainDecimal(allow_null=True)
    quantity = PlainDecimal(allow_null=True)
    filled_quantity = PlainDecimal()
    average_price = PlainDecimal(allow_null=True)
    value_usd = PlainDecimal(allow_null=True)
    oco_group_id = serializers.UUIDField(allow_null=True)
    created_at = UtcTime()
    updated_at = UtcTime()


class ExecutedOrderSerializer(OpenOrderSerializer):
    """The same with the fee as charged: positive was paid."""

    fee = PlainDecimal(allow_null=True)
    fee_currency = serializers.CharField(allow_null=True)


class OrderSerializer(ExecutedOrderSerializer):
    """The same with our own id, which the address of one order is made of."""

    id = serializers.IntegerField()


class TradeSerializer(serializers.Serializer[Any]):
    """A fill. `fee` is positive when paid; `quote_usd` is the rate of the quote currency then, null if unknown."""

    id = serializers.IntegerField()
    trade_id = serializers.CharField()
    trade_match_id = serializers.CharField(allow_blank=True)
    order_id = serializers.CharField()
    client_oid = serializers.CharField(allow_blank=True)
    instrument_name = serializers.CharField()
    side = serializers.ChoiceField(SIDES)
    taker_side = serializers.CharField(allow_blank=True)
    quantity = PlainDecimal()
    price = PlainDecimal()
    fee = PlainDecimal()
    fee_currency = serializers.CharField(allow_blank=True)
    quote_usd = PlainDecimal(allow_null=True)
    fee_usd = PlainDecimal(allow_null=True)
    traded_at = UtcTime()
