"""Protection as JSON, and the requests of users."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange.core.instrument_names import SPOT_PATTERN
from exchange.core.numbers import plain_sentences
from exchange.core.reasons import Reason
from exchange.models import ExchangeOrder
from exchange.serializers import PlainDecimal, UtcTime
from oco.engine.states import State
from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.presentation.reasons import render_reason

PLAIN_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


class ReasonMethods:
    """For a serializer of something with a reason: the text in the user's language with plain numbers, and the data."""

    def get_reason(self, row: Any) -> str:
        with plain_sentences():
            return render_reason(_reason_of(row))

    def get_reason_code(self, row: Any) -> str | None:
        why = _reason_of(row)
        return why.code or None if why else None

    def get_reason_params(self, row: Any) -> dict[str, Any] | None:
        why = _reason_of(row)
        return why.stored_params if why and why.code else None

    def get_exchange_code(self, row: Any) -> int | None:
        why = _reason_of(row)
        return why.exchange_code if why else None


def _reason_of(row: Any) -> Reason | None:
    why: Reason | None = row.stored_reason if isinstance(row, OcoEvent) else row.reason
    return why


class LegSerializer(serializers.Serializer[Any]):
    """A `LegRow`; `status` is our status of the order, not only the exchange's."""

    order_role = serializers.ChoiceField(ExchangeOrder.Role.choices)
    order_id = serializers.CharField(allow_null=True)
    client_oid = serializers.CharField()
    status = serializers.ChoiceField(OcoLeg.Status.choices)
    trigger_price = PlainDecimal(allow_null=True)
    price = PlainDecimal(allow_null=True)
    quantity = PlainDecimal()
    filled_quantity = PlainDecimal()


class GroupSerializer(ReasonMethods, serializers.Serializer[Any]):
    """A `GroupRow`."""

    oco_group_id = serializers.UUIDField()
    instrument_name = serializers.CharField()
    state = serializers.ChoiceField([str(state) for state in State])
    link = serializers.ChoiceField(OcoGroup.Link.choices)
    quantity = PlainDecimal()
    entry_price = PlainDecimal(allow_null=True)
    stop_price = PlainDecimal()
    take_profit_price = PlainDecimal(allow_null=True)
    entry_order_id = serializers.CharField(allow_null=True)
    legs = LegSerializer(many=True)
    created_at = UtcTime()
    closed_at = UtcTime(allow_null=True)
    reason = serializers.SerializerMethodField()
    reason_code = serializers.SerializerMethodField()
    reason_params = serializers.SerializerMethodField()
    exchange_code = serializers.SerializerMethodField()


class EventSerializer(ReasonMethods, serializers.ModelSerializer[OcoEvent]):
    """One line of the event log; `old` is empty for the first."""

    at = UtcTime()
    reason = serializers.SerializerMethodField()
    reason_code = serializers.SerializerMethodField()
    reason_params = serializers.SerializerMethodField()
    exchange_code = serializers.SerializerMethodField()

    class Meta:
        model = OcoEvent
        fields = (
            *("at", "old", "new", "reason", "order_ids", "code"),
            *("reason_code", "reason_params", "exchange_code"),
        )


class GroupDetailSerializer(GroupSerializer):
    """A group with its event log, oldest first."""

    events = EventSerializer(many=True)


class UnprotectedSerializer(ReasonMethods, serializers.Serializer[Any]):
    """Coins without a stop."""

    instrument_name = serializers.CharField()
    quantity = PlainDecimal()
    market_value_usd = PlainDecimal(allow_null=True)
    since = UtcTime(allow_null=True)
    reason = serializers.SerializerMethodField()
    reason_code = serializers.SerializerMethodField()
    reason_params = serializers.SerializerMethodField()
    exchange_code = serializers.SerializerMethodField()


@extend_schema_field(
    {"type": "string", "format": "decimal", "pattern": r"^(?!0+(\.0+)?$)\d{1,20}(\.\d{1,20})?$"}
)
class PlainAmount(serializers.Field[Decimal, Any, str, Any]):
    """A price or a quantity above zero, as text in plain digits; JSON floats are refused: they may be inexact."""

    default_error_messages = {
        "invalid": 'Write it as text in plain digits, such as "0.0100".',
        "zero": "It must be positive.",
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not PLAIN_NUMBER.fullmatch(data):
            self.fail("invalid")
        if not Decimal(data):
            self.fail("zero")
        return Decimal(data)


class GroupRequest(serializers.Serializer[Any]):
    """Protect held coins. `take_profit_price` null requests a stop only."""

    instrument_name = serializers.RegexField(
        SPOT_PATTERN,
        max_length=64,
        error_messages={"invalid": "This is not the name of a spot pair, such as BTC_USD."},
    )
    quantity = PlainAmount()
    stop_price = PlainAmount()
    take_profit_price = PlainAmount(allow_null=True)
