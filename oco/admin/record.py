"""The record of protection: every order written down, every change, every lot."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.base import ReadOnlyAdmin, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.orders import list_link
from exchange.admin.record import moment
from oco.admin.base import order_link
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, Watermark
from oco.states import State


@admin.register(OcoLeg)
class OcoLegAdmin(ReadOnlyAdmin):
    list_display = ("client_oid", "order_role", "status", "quantity", "executed", "order", "sent")
    list_filter = ("status", "order_role")
    list_select_related = ("group",)
    search_fields = ("=client_oid", "=order_id")

    @admin.display(description="order")
    def order(self, leg: OcoLeg) -> str:
        return order_link(leg.order_id or leg.client_oid)

    @admin.display(description="sent at")
    def sent(self, leg: OcoLeg) -> str | None:
        return to_the_second(leg.sent_at)


class Reached(QuestionFilter):
    title = "state reached"
    parameter_name = "new"
    answers = tuple((str(state), str(state), Q(new=state)) for state in State)


@admin.register(OcoEvent)
class OcoEventAdmin(ReadOnlyAdmin):
    list_display = ("moment", "of", "old", "new", "reason", "code")
    list_filter = (Reached, "told")
    list_select_related = ("group",)
    ordering = ("-id",)

    @admin.display(description="at")
    def moment(self, event: OcoEvent) -> str | None:
        return to_the_second(event.at)

    @admin.display(description="group")
    def of(self, event: OcoEvent) -> str:
        pk = str(event.group_id)
        return list_link(OcoGroup, event.group.instrument_name, oco_group_id__exact=pk)


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
    list_display = ("instrument_name", "bought", "owned", "sold", "gone", "dust", "average_price", "opened")
    list_filter = (LotState, "by_person")
    search_fields = ("=instrument_name", "=entry_order_id")

    @admin.display(description="opened at")
    def opened(self, lot: Lot) -> str | None:
        return to_the_second(lot.opened_at)


@admin.register(LotTrade)
class LotTradeAdmin(ReadOnlyAdmin):
    list_display = ("trade_id", "lot")
    list_select_related = ("lot",)
    search_fields = ("=trade_id",)
    ordering = ("-id",)


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ("since",)

    @admin.display(description="bought since then is protected by itself")
    def since(self, watermark: Watermark) -> str:
        return moment(watermark.since_ns)
