"""The dashboard, the watchlist and the signals as JSON."""

from typing import Any

from rest_framework import serializers

from exchange.core.instrument_names import SPOT_PATTERN
from exchange.core.times import Timeframe
from exchange.serializers import ExecutedOrderSerializer, OpenOrderSerializer, PlainDecimal, UtcTime
from exchange.stream.listener import StreamStatus
from oco.presentation.reasons import render_reason
from oco.serializers import GroupSerializer, UnprotectedSerializer
from portfolio.models import Balance, Signal
from portfolio.status.sync_status import Freshness
from portfolio.status.trading_mode import MODE_SUMMARIES, Trading

TIMEFRAMES = [str(timeframe) for timeframe in Timeframe]


class WatchSerializer(serializers.Serializer[Any]):
    """An instrument of the watchlist. `price` is the last one read, at `price_at`; null is unknown."""

    instrument_name = serializers.CharField()
    price = PlainDecimal(allow_null=True)
    price_at = UtcTime(allow_null=True)
    change_24h_pct = PlainDecimal(allow_null=True)
    note = serializers.CharField(allow_blank=True)


class CallSerializer(serializers.Serializer[Any]):
    """The signal of the closed candles; `candle_time` is the open time of the last of them.

    `score`, 0 to 100, is its strength. `inputs` are indicator values as text.
    """

    instrument_name = serializers.CharField()
    timeframe = serializers.ChoiceField(TIMEFRAMES)
    action = serializers.ChoiceField(Signal.Action.choices)
    score = serializers.IntegerField(min_value=0, max_value=100)
    reason = serializers.CharField()
    inputs = serializers.DictField(child=serializers.CharField())
    candle_time = UtcTime()
    computed_at = UtcTime()


class WatchItemSerializer(WatchSerializer):
    """With what only the list itself needs. `trend` are the hourly closes of a day, oldest first."""

    id = serializers.IntegerField()
    is_tradable = serializers.BooleanField()
    trend = serializers.ListField(child=PlainDecimal())


class SignalSerializer(CallSerializer):
    """The latest result of a series. Without a signal `action` and `score` are null and `reason` says why."""

    action = serializers.ChoiceField(Signal.Action.choices, allow_null=True)
    score = serializers.IntegerField(min_value=0, max_value=100, allow_null=True)
    candle_time = UtcTime(allow_null=True)


class WatchRequest(serializers.Serializer[Any]):
    """Add a spot pair; an existing one gets the note."""

    instrument_name = serializers.RegexField(
        SPOT_PATTERN,
        max_length=64,
        error_messages={"invalid": "This is not the name of a spot pair, such as BTC_USD."},
    )
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class WatchRemoval(serializers.Serializer[Any]):
    """The instrument to remove."""

    instrument_name = serializers.CharField(max_length=64)


class TradingSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField()
    auto_protect = serializers.BooleanField()
    reason = serializers.SerializerMethodField()

    def get_reason(self, trading: Trading) -> str | None:
        return render_reason(trading.reason) or None


class StreamSerializer(serializers.Serializer[Any]):
    """The exchange's user stream: `live` means that a fill wakes a cycle at once."""

    status = serializers.ChoiceField([str(one) for one in StreamStatus])
    since = UtcTime(allow_null=True)
    last_message_at = UtcTime(allow_null=True)


class SyncStateSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField([str(one) for one in Freshness])
    last_success = UtcTime(allow_null=True)
    age_seconds = serializers.IntegerField(allow_null=True)
    interval_seconds = serializers.IntegerField()
    last_error = serializers.CharField(allow_null=True)
    stream = StreamSerializer()


class SummarySerializer(serializers.Serializer[Any]):
    total_usd = PlainDecimal(allow_null=True)
    cash_usd = PlainDecimal(allow_null=True)
    unrealised_pnl_usd = PlainDecimal(allow_null=True)
    change_24h_usd = PlainDecimal(allow_null=True)
    net_flows_24h_usd = PlainDecimal(allow_null=True)
    unprotected_usd = PlainDecimal(allow_null=True)
    loss_if_all_stops_hit_usd = PlainDecimal(allow_null=True)
    result_if_all_stops_hit_usd = PlainDecimal(allow_null=True)
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
    too_small = UnprotectedSerializer(
        allow_null=True,
        help_text="Of the unprotected quantity, what was bought and is too small to protect alone: "
        "it joins the next purchase that is protected.",
    )


class DashboardHeadSerializer(serializers.Serializer[Any]):
    """What depends on the clock or on a heartbeat, and whether orders can be created."""

    mode = serializers.ChoiceField(list(MODE_SUMMARIES), source="mode.name")
    trading = TradingSerializer()
    as_of = UtcTime()
    sync = SyncStateSerializer()


class DashboardSerializer(DashboardHeadSerializer):
    """Everything the dashboard shows."""

    summary = SummarySerializer()
    portfolio = HoldingSerializer(many=True)
    open_orders = OpenOrderSerializer(many=True)
    executed_orders = ExecutedOrderSerializer(many=True)
    oco_groups = GroupSerializer(many=True)
    unprotected = UnprotectedSerializer(many=True)
    watchlist = WatchSerializer(many=True)
    signals = CallSerializer(many=True)


class TaskSerializer(serializers.Serializer[Any]):
    """The task queued for the worker."""

    id = serializers.CharField()


class BalanceSerializer(serializers.ModelSerializer[Balance]):
    """The balance of one currency, and when it was read."""

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
