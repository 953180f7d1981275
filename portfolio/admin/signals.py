"""The signals, to read."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.base import ReadOnlyAdmin, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.core.utils import Timeframe
from portfolio.models import Signal
from portfolio.signals.selectors import reason_words


class Latest(QuestionFilter):
    title = "what"
    parameter_name = "what"
    answers = (
        ("now", "Latest", Q(is_latest=True)),
        ("silent", "Without a signal", Q(is_latest=True, action="")),
        ("before", "History", Q(is_latest=False)),
    )


class ByTimeframe(QuestionFilter):
    title = parameter_name = "timeframe"
    answers = tuple((str(one), str(one), Q(timeframe=one)) for one in Timeframe)


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "timeframe", "action", "score", "why", "candle", "computed")
    list_filter = (Latest, ByTimeframe, "action")
    search_fields = ("instrument_name",)

    @admin.display(description="reason")
    def why(self, signal: Signal) -> str:
        return reason_words(signal.reasons)

    @admin.display(description="candle from", empty_value="")
    def candle(self, signal: Signal) -> str | None:
        return to_the_second(signal.candle_time)

    @admin.display(description="computed at")
    def computed(self, signal: Signal) -> str | None:
        return to_the_second(signal.computed_at)
