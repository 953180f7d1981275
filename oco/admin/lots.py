"""What was bought and is owed protection, to read."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.base import ByIdAdmin, ReadOnlyAdmin, list_link, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.sync import moment
from exchange.models import Trade
from oco.admin.base import order_link
from oco.group import OcoGroup
from oco.lot import Lot, LotTrade, Watermark


class LotState(QuestionFilter):
    title = "state"
    parameter_name = "state"
    answers = (
        ("open", "Open", Q(closed_at=None)),
        (
            "short",
            "Open, and the balance does not show all of it",
            Q(closed_at=None, short_since__isnull=False),
        ),
        ("merging", "Open, and to be merged", Q(closed_at=None, merging=True)),
    )


@admin.register(Lot)
class LotAdmin(ReadOnlyAdmin):
    list_display = (
        "instrument_name",
        "side",
        "bought",
        "owned",
        "sold",
        "gone",
        "dust",
        "average_price",
        "opened",
    )
    list_filter = (LotState, "side", "by_person")
    search_fields = ("=instrument_name", "=entry_order_id")
    readonly_fields = ("groups", "entry")

    @admin.display(description="groups")
    def groups(self, lot: Lot) -> str:
        return list_link(OcoGroup, "Its protection, now and before", lot__exact=str(lot.pk))

    @admin.display(description="entry order", empty_value="Asked for by a person")
    def entry(self, lot: Lot) -> str | None:
        return order_link(lot.entry_order_id) if lot.entry_order_id else None

    @admin.display(description="opened at")
    def opened(self, lot: Lot) -> str | None:
        return to_the_second(lot.opened_at)


@admin.register(LotTrade)
class LotTradeAdmin(ByIdAdmin):
    list_display = ("trade_id", "lot", "trade")
    list_select_related = ("lot",)
    search_fields = ("trade_id",)
    ordering = ("-id",)

    def searches(self, term: str) -> list[Q]:
        return [Q(trade_id=term)]

    @admin.display(description="trade")
    def trade(self, row: LotTrade) -> str:
        return list_link(Trade, "The trade", q=row.trade_id)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ("since",)

    @admin.display(description="bought since then is protected by itself")
    def since(self, watermark: Watermark) -> str:
        return moment(watermark.since_ns)
