"""Account values and cost basis in the admin, read-only."""

from datetime import datetime

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    ByIdAdmin,
    ConditionFilter,
    ReadOnlyAdmin,
    display,
    format_to_second,
    list_link,
)
from exchange.core.times import NS_PER_MS, from_ms
from exchange.models import ExchangeOrder, Trade
from portfolio.models import BalanceChange, CoinDrift, CostCursor, CostEntry, PortfolioSnapshot, PositionCost


@admin.register(PortfolioSnapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("recorded", "total_usd", "cash_usd", "unpriced", "grain", "is_reconstructed")
    list_filter = ("grain", "is_reconstructed")

    @display(description=_("at"))
    def recorded(self, snapshot: PortfolioSnapshot) -> str | None:
        return format_to_second(snapshot.at)


class BehindFilter(ConditionFilter):
    title = _("calculation")
    parameter_name = "behind"
    options = (
        ("yes", _("Pending"), Q(behind_ns__isnull=False)),
        ("unknown", _("Cost unknown"), Q(cost_usd=None)),
    )


@admin.register(PositionCost)
class PositionCostAdmin(ReadOnlyAdmin):
    list_display = ("currency", "quantity", "cost_usd", "behind")
    list_filter = (BehindFilter,)
    search_fields = ("currency",)

    @display(description=_("behind since"))
    def behind(self, cost: PositionCost) -> str | None:
        return None if cost.behind_ns is None else format_to_second(_moment(cost.behind_ns))


class SaleFilter(ConditionFilter):
    title = _("entries")
    parameter_name = "which"
    options = (
        ("sales", _("Sales"), Q(is_sale=True)),
        ("unknown", _("Sales with unknown P&L"), Q(is_sale=True, realised_usd=None)),
    )


@admin.register(CostEntry)
class CostEntryAdmin(ByIdAdmin):
    list_display = (
        *("traded", "currency", "instrument_name", "change", "usd", "stock", "stock_cost_usd"),
        *("realised_usd", "order_id"),
    )
    list_filter = (SaleFilter,)
    ordering = ("-id",)  # along the primary key
    search_fields = ("trade_id",)
    readonly_fields = ("order", "trade")

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(order_id=term, is_sale=True), Q(trade_id=term, is_sale=True)]

    @display(description=_("order"))
    def order(self, entry: CostEntry) -> str:
        return list_link(ExchangeOrder, gettext("Order"), q=entry.order_id)

    @display(description=_("trade"))
    def trade(self, entry: CostEntry) -> str:
        return list_link(Trade, gettext("Trade"), q=entry.trade_id)

    @display(description=_("traded at"))
    def traded(self, entry: CostEntry) -> str | None:
        return format_to_second(_moment(entry.at_ns))


@admin.register(CostCursor)
class CostCursorAdmin(ReadOnlyAdmin):
    list_display = ("trade_pk", "is_behind", "compared_since")

    @display(description=_("balances compared since"))
    def compared_since(self, cursor: CostCursor) -> str | None:
        return (
            None if cursor.compared_since_ns is None else format_to_second(_moment(cursor.compared_since_ns))
        )


class ReportedFilter(ConditionFilter):
    title = _("change")
    parameter_name = "reported"
    options = (
        ("seen", _("Not confirmed yet"), Q(seen_ns__isnull=False)),
        ("reported", _("Reported"), Q(told_ns__isnull=False)),
    )


@admin.register(CoinDrift)
class CoinDriftAdmin(ReadOnlyAdmin):
    list_display = ("currency", "traded", "known", "seen", "first_seen", "reported")
    list_filter = (ReportedFilter,)
    search_fields = ("currency",)

    @display(description=_("first seen"))
    def first_seen(self, drift: CoinDrift) -> str | None:
        return None if drift.seen_ns is None else format_to_second(_moment(drift.seen_ns))

    @display(description=_("reported change, first seen"))
    def reported(self, drift: CoinDrift) -> str | None:
        return None if drift.told_ns is None else format_to_second(_moment(drift.told_ns))


@admin.register(BalanceChange)
class BalanceChangeAdmin(ReadOnlyAdmin):
    list_display = ("currency", "change", "price_usd", "first_seen", "is_reversal", "reported")

    @display(description=_("first seen"))
    def first_seen(self, row: BalanceChange) -> str | None:
        return format_to_second(_moment(row.since_ns))


def _moment(at_ns: int) -> datetime:
    return from_ms(at_ns // NS_PER_MS)
