"""What can be traded, in the admin."""

from django.contrib import admin

from exchange.admin.base import ReadOnlyAdmin
from exchange.models import Instrument


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "inst_type", "price_tick_size", "qty_tick_size", "tradable", "read_at")
    list_filter = ("inst_type", "tradable", "quote_ccy")
    search_fields = ("symbol", "base_ccy")
