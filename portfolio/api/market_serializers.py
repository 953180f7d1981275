"""The watchlist and the signals as JSON, and what may be asked of them."""

from typing import Any

from rest_framework import serializers

from exchange.core.utils import Timeframe
from exchange.serializers import PlainDecimal, UtcTime
from portfolio.models import Signal

TIMEFRAMES = [str(timeframe) for timeframe in Timeframe]


class WatchSerializer(serializers.Serializer[Any]):
    """An instrument of the watchlist. `price` is the last one read, at `price_at`; null is not known."""

    instrument_name = serializers.CharField()
    price = PlainDecimal(allow_null=True)
    price_at = UtcTime(allow_null=True)
    change_24h_pct = PlainDecimal(allow_null=True)
    note = serializers.CharField(allow_blank=True)


class CallSerializer(serializers.Serializer[Any]):
    """What the indicators say of the closed bars; `candle_time` is when the last of them began.

    `score`, 0 to 100, is how strongly they lean one way. `inputs` are their values, as text.
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
    """The same with what only the list itself needs. `trend` are the hourly closes of a day, oldest first."""

    id = serializers.IntegerField()
    is_tradable = serializers.BooleanField()
    trend = serializers.ListField(child=PlainDecimal())


class SignalSerializer(CallSerializer):
    """A series as last looked at. Without a signal `action` and `score` are null and `reason` tells why."""

    action = serializers.ChoiceField(Signal.Action.choices, allow_null=True)
    score = serializers.IntegerField(min_value=0, max_value=100, allow_null=True)
    candle_time = UtcTime(allow_null=True)


class WatchRequest(serializers.Serializer[Any]):
    """Put a spot pair on the list; one that is there takes the note."""

    instrument_name = serializers.CharField(max_length=64)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class WatchNamed(serializers.Serializer[Any]):
    """Which instrument of the list is meant."""

    instrument_name = serializers.CharField(max_length=64)
