"""The record of protection: every order written down, and every change."""

from django.contrib import admin
from django.db.models import Q

from exchange.admin.base import ByIdAdmin, ReadOnlyAdmin, group_link, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.market import began_link, ids_links
from oco.admin.base import group_searches, order_link
from oco.engine.states import State
from oco.event import OcoEvent
from oco.leg import OcoLeg
from oco.review import UsedReview


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


@admin.register(UsedReview)
class UsedReviewAdmin(ReadOnlyAdmin):
    list_display = ("nonce", "used_at")
    ordering = ("-used_at",)
