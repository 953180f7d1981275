"""The dashboard as JSON, field for field."""

from typing import Any

from rest_framework import serializers

from exchange.serializers import ExecutedOrderSerializer, OpenOrderSerializer, PlainDecimal, UtcTime
from oco.serializers import GroupSerializer, UnprotectedSerializer
from portfolio.api.market_serializers import CallSerializer, WatchSerializer
from portfolio.models import Balance
from portfolio.status.freshness import Freshness
from portfolio.status.trading_mode import SHORT


class TradingSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    auto_protect = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)


class SyncStateSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField([str(one) for one in Freshness])
    last_success = UtcTime(allow_null=True)
    age_seconds = serializers.IntegerField(allow_null=True)
    interval_seconds = serializers.IntegerField()
    last_error = serializers.CharField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    total_usd = PlainDecimal(allow_null=True)
    cash_usd = PlainDecimal(allow_null=True)
    unrealised_pnl_usd = PlainDecimal(allow_null=True)
    change_24h_usd = PlainDecimal(allow_null=True)
    unprotected_usd = PlainDecimal(allow_null=True)
    loss_if_all_stops_hit_usd = PlainDecimal(allow_null=True)
    open_orders_count = serializers.IntegerField()
    open_groups_count = serializers.IntegerField()
    unpriced = serializers.ListField(child=serializers.CharField())


class HoldingSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    quantity = PlainDecimal()
    available = PlainDecimal(allow_null=True)
    reserved = PlainDecimal(allow_null=True)
    price_usd = PlainDecimal(allow_null=True)
    market_value_usd = PlainDecimal(allow_null=True)
    allocation_pct = PlainDecimal(allow_null=True)
    protected_quantity = PlainDecimal(allow_null=True)
    unprotected_quantity = PlainDecimal(allow_null=True)


class DashboardSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(list(SHORT), source="mode.name")
    trading = TradingSerializer()
    as_of = UtcTime()
    sync = SyncStateSerializer()
    summary = SummarySerializer()
    portfolio = HoldingSerializer(many=True)
    open_orders = OpenOrderSerializer(many=True)
    executed_orders = ExecutedOrderSerializer(many=True)
    oco_groups = GroupSerializer(many=True)
    unprotected = UnprotectedSerializer(many=True)
    watchlist = WatchSerializer(many=True)
    signals = CallSerializer(many=True)


class TaskSerializer(serializers.Serializer[Any]):
    """What was handed to the worker."""

    id = serializers.CharField()


class BalanceSerializer(serializers.ModelSerializer[Balance]):
    """What the account holds of one currency, and when that was read."""

    quantity = PlainDecimal()
    available = PlainDecimal(allow_null=True)
    reserved = PlainDecimal(allow_null=True)
    price_usd = PlainDecimal(allow_null=True)
    market_value_usd = PlainDecimal(allow_null=True)
    read_at = UtcTime()

    class Meta:
        model = Balance
        fields = (
            "currency",
            "quantity",
            "available",
            "reserved",
            "price_usd",
            "market_value_usd",
            "read_at",
        )
