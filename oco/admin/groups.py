"""Groups with their orders and their journal."""

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from exchange.admin.base import ByIdAdmin, to_the_second
from exchange.admin.market import began_link
from oco.admin.base import group_searches, order_link
from oco.admin.cancelling import Cancelling
from oco.admin.filters import Ended, InDanger, InstrumentAtWork
from oco.admin.inlines import EventInline, LegInline
from oco.admin.paths import alerts_of, audit_of, events_of, orders_of, trades_of
from oco.group import OcoGroup


@admin.register(OcoGroup)
class OcoGroupAdmin(Cancelling, ByIdAdmin):
    list_display = (
        "instrument_name",
        "state",
        "quantity",
        "entry_price",
        "stop_price",
        "take_profit_price",
        "since",
        "link",
        "reason",
        "on_desk",
    )
    change_list_template = "admin/sync_now_list.html"
    list_filter = (InDanger, "state", InstrumentAtWork, Ended)
    search_fields = ("oco_group_id",)
    search_help_text = "An instrument, the id of a group, or an order id, name or list id of its orders"
    readonly_fields = ("orders", "entry_order", "trades", "events", "audit", "alerts", "began")
    inlines = (LegInline, EventInline)
    actions = ("cancel_protection",)

    def searches(self, term: str) -> list[Q]:
        own = [Q(instrument_name=term), Q(entry_order_id=term), Q(list_id=term)]
        return [*own, *group_searches(term, pk="pk")]

    def view_on_site(self, group: OcoGroup) -> str:
        return reverse("protection-group", args=[group.pk])

    @admin.display(description="state since")
    def since(self, group: OcoGroup) -> str | None:
        return to_the_second(group.state_since)

    @admin.display(description="orders on the exchange")
    def orders(self, group: OcoGroup) -> str:
        return orders_of(group.pk)

    @admin.display(description="entry order", empty_value="Asked for by a person")
    def entry_order(self, group: OcoGroup) -> str | None:
        return order_link(group.entry_order_id) if group.entry_order_id else None

    @admin.display(description="trades")
    def trades(self, group: OcoGroup) -> str:
        return trades_of(group)

    @admin.display(description="journal")
    def events(self, group: OcoGroup) -> str:
        return events_of(group.pk)

    @admin.display(description="audit log")
    def audit(self, group: OcoGroup) -> str:
        return audit_of(group.pk)

    @admin.display(description="alerts")
    def alerts(self, group: OcoGroup) -> str:
        return alerts_of(group.pk)

    @admin.display(description="what began it", empty_value="")
    def began(self, group: OcoGroup) -> str | None:
        return began_link(group.correlation_id)
