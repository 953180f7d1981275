"""The orders and the journal of a group, on its page."""

from django.contrib import admin

from exchange.admin.base import to_the_second
from exchange.admin.market import began_link, ids_links
from oco.admin.base import ReadOnlyInline, order_link
from oco.event import OcoEvent
from oco.leg import OcoLeg


class LegInline(ReadOnlyInline):
    model = OcoLeg
    verbose_name_plural = "orders, in the order they were written down"
    fields = (
        "generation",
        "order_role",
        "status",
        "quantity",
        "executed",
        "price",
        "trigger_price",
        "order",
        "sent",
        "refused_text",
    )
    readonly_fields = ("order", "sent")

    @admin.display(description="order")
    def order(self, leg: OcoLeg) -> str:
        return order_link(leg.order_id or leg.client_oid)

    @admin.display(description="sent at")
    def sent(self, leg: OcoLeg) -> str | None:
        return to_the_second(leg.sent_at)


class EventInline(ReadOnlyInline):
    model = OcoEvent
    verbose_name_plural = "journal, the oldest first"
    fields = ("moment", "old", "new", "reason", "orders", "code", "began")
    readonly_fields = ("moment", "orders", "began")

    @admin.display(description="at")
    def moment(self, event: OcoEvent) -> str | None:
        return to_the_second(event.at)

    @admin.display(description="orders")
    def orders(self, event: OcoEvent) -> str:
        return ids_links(event.order_ids)

    @admin.display(description="what began it", empty_value="")
    def began(self, event: OcoEvent) -> str | None:
        return began_link(event.correlation_id)
