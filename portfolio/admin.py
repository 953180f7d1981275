"""Balances in the admin."""

from django.contrib import admin

from exchange.admin.base import ReadOnlyAdmin
from portfolio.models import Balance


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    list_display = (
        "currency",
        "quantity",
        "available",
        "reserved",
        "price_usd",
        "market_value_usd",
        "read_at",
    )
    search_fields = ("currency",)
