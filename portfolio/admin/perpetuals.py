"""Derivative positions, to look at."""

from django.contrib import admin

from exchange.admin.base import ReadOnlyAdmin
from portfolio.models import Perpetual


@admin.register(Perpetual)
class PerpetualAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "quantity", "market_value_usd", "since", "read_at")
