"""Groups with their orders and their journal, and the action that takes protection away."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from exchange.admin.base import ReadOnlyAdmin, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.orders import list_link
from exchange.fields import plain
from exchange.models import ExchangeOrder
from oco.admin.base import ReadOnlyInline, order_link
from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.selectors import groups_open
from oco.services import NotPossible, group_cancel
from oco.states import OPEN, State

NAME_LENGTH = 64


class Danger(QuestionFilter):
    title = "danger"
    parameter_name = "danger"
    answers = (
        (
            "unprotected",
            "Unprotected: open and not active",
            Q(closed_at=None, state__in=sorted(OPEN - {State.ACTIVE})),
        ),
        ("unknown", "Unknown", Q(state=State.UNKNOWN)),
        ("stop-failed", "Stop failed", Q(state=State.STOP_FAILED)),
        ("leaving", "Cancel asked for, not done", Q(closed_at=None, cancel_requested_at__isnull=False)),
    )


class InstrumentAtWork(admin.SimpleListFilter):
    """The pairs of open groups; a search finds the others."""

    title = "instrument at work"
    parameter_name = "instrument_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = groups_open().order_by("instrument_name").values_list("instrument_name", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(instrument_name=self.value()) if self.value() else queryset


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
    fields = ("moment", "old", "new", "reason", "order_ids", "code")
    readonly_fields = ("moment",)

    @admin.display(description="at")
    def moment(self, event: OcoEvent) -> str | None:
        return to_the_second(event.at)


@admin.register(OcoGroup)
class OcoGroupAdmin(ReadOnlyAdmin):
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
    )
    list_filter = (Danger, "state", InstrumentAtWork)
    search_fields = ("=instrument_name", "=entry_order_id", "=list_id")
    search_help_text = "An instrument, an entry order id or a list id, exactly as on the exchange"
    readonly_fields = ("orders", "entry_order")
    inlines = (LegInline, EventInline)
    actions = ("cancel_protection",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("oco.change_ocogroup")

    @admin.action(description="Cancel protection: the coins stay, without a stop", permissions=["cancel"])
    def cancel_protection(self, request: HttpRequest, queryset: QuerySet[OcoGroup]) -> None:
        name = request.user.get_username()[:NAME_LENGTH]
        for group in queryset:
            try:
                group_cancel(group_id=group.pk, requested_by=name, now=timezone.now())
            except NotPossible as refusal:
                messages.warning(request, f"{group}: {refusal}")
            else:
                words = (
                    f"{group.instrument_name} {plain(group.quantity)}: the worker cancels its orders next."
                )
                messages.success(request, words)

    @admin.display(description="state since")
    def since(self, group: OcoGroup) -> str | None:
        return to_the_second(group.state_since)

    @admin.display(description="orders on the exchange")
    def orders(self, group: OcoGroup) -> str:
        return list_link(ExchangeOrder, "All of its orders", oco_group_id__exact=str(group.pk))

    @admin.display(description="entry order", empty_value="Asked for by a person")
    def entry_order(self, group: OcoGroup) -> str | None:
        return order_link(group.entry_order_id) if group.entry_order_id else None
