"""What can be traded, in the admin."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.base import ByIdAdmin, ReadOnlyAdmin
from exchange.admin.filters import QuestionFilter
from exchange.core.utils import Timeframe
from exchange.models import Candle, Instrument, Quote


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "inst_type", "price_tick_size", "qty_tick_size", "tradable", "read_at")
    list_filter = ("inst_type", "tradable", "quote_ccy")
    search_fields = ("symbol", "base_ccy")


class CandleTimeframe(QuestionFilter):
    title = parameter_name = "timeframe"
    answers = tuple((str(one), str(one), Q(timeframe=one)) for one in Timeframe)


@admin.register(Candle)
class CandleAdmin(ByIdAdmin):
    list_display = (
        *("instrument_name", "timeframe", "opened_at", "open", "high", "low", "close", "volume"),
        *("is_closed", "read_at"),
    )
    list_filter = (CandleTimeframe, "is_closed")
    search_fields = ("instrument_name",)

    def searches(self, term: str) -> list[Q]:
        return [Q(instrument_name=term)]


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "price", "change_24h", "read_at")
    search_fields = ("instrument_name",)
