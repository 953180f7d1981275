"""The record of protection: every order written down, every change, every lot."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.audit import began_link, ids_links
from exchange.admin.base import ByIdAdmin, ReadOnlyAdmin, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.links import group_link, list_link
from exchange.admin.record import moment
from exchange.models import Trade
from oco.admin.base import group_searches, order_link
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, UsedReview, Watermark
from oco.states import State


@admin.register(OcoLeg)
class OcoLegAdmin(ByIdAdmin):
    list_display = ("client_oid", "of", "order_role", "status", "quantity", "executed", "order", "sent")
    list_filter = ("status", "order_role")
    list_select_related = ("group",)
    readonly_fields = ("of", "order")
    ordering = ("-id",)
    search_fields = ("client_oid",)

    def searches(self, term: str) -> list[Q]:
        return [Q(client_oid=term), Q(order_id=term) & ~Q(order_id="")]

    @admin.display(description="group")
    def of(self, leg: OcoLeg) -> str:
        return group_link(leg.group_id, leg.group)

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
class OcoEventAdmin(ByIdAdmin):
    list_display = ("moment", "of", "old", "new", "reason", "orders", "code", "began")
    list_filter = (Reached, "told")
    list_select_related = ("group",)
    readonly_fields = ("of", "orders", "began")
    ordering = ("-id",)
    search_fields = ("group",)
    search_help_text = "The id of a group, or an order id or name of ours, exactly as shown"

    def searches(self, term: str) -> list[Q]:
        return group_searches(term, pk="group")

    @admin.display(description="at")
    def moment(self, event: OcoEvent) -> str | None:
        return to_the_second(event.at)

    @admin.display(description="group")
    def of(self, event: OcoEvent) -> str:
        return group_link(event.group_id, event.group.instrument_name)

    @admin.display(description="orders")
    def orders(self, event: OcoEvent) -> str:
        return ids_links(event.order_ids)

    @admin.display(description="what began it", empty_value="")
    def began(self, event: OcoEvent) -> str | None:
        return began_link(event.correlation_id)


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


@admin.register(UsedReview)
class UsedReviewAdmin(ReadOnlyAdmin):
    list_display = ("nonce", "used_at")
    ordering = ("-used_at",)
