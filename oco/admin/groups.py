"""Groups, their orders and their event log, and the action that removes protection after a confirmation."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    AnyAdmin,
    ByIdAdmin,
    ConditionFilter,
    ReadOnlyAdmin,
    display,
    format_to_second,
    group_link,
)
from exchange.admin.market import AuditEntryAdmin, correlation_link, object_links
from exchange.admin.orders import ExchangeOrderAdmin
from exchange.fields import format_decimal
from exchange.models import AuditEntry, ExchangeOrder
from exchange.services.permissions import Right, has_right
from oco.admin.base import (
    REQUESTED_BY_USER,
    ClosedFilter,
    EventInline,
    GroupProblemFilter,
    LegInline,
    OpenInstrumentFilter,
    ReasonColumn,
    StateColumns,
    alerts_of,
    audit_of,
    events_of,
    group_searches,
    order_link,
    orders_of,
    trades_of,
)
from oco.engine.states import State
from oco.labels import STATE_LABELS, state_label
from oco.models import OcoEvent, OcoGroup, OcoLeg, UsedReview
from oco.presentation.reasons import render_stored
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible

NAME_LENGTH = 64


class CancelProtectionMixin(AnyAdmin):
    """For the list of groups. The site's sudo middleware asks for the password."""

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, Right.MANAGE)

    @admin.action(description=_("Cancel protection: the coins stay, without a stop…"), permissions=["cancel"])
    def cancel_protection(self, request: HttpRequest, queryset: QuerySet[OcoGroup]) -> HttpResponse | None:
        if "sure" not in request.POST:
            return self._confirmation_page(request, queryset)
        name = request.user.get_username()[:NAME_LENGTH]
        for group in queryset:
            _cancel(request, group, name)
        return None

    def _confirmation_page(self, request: HttpRequest, queryset: QuerySet[OcoGroup]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Cancel protection?"),
            "groups": queryset,
            "chosen": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        return render(request, "admin/cancel_protection.html", context)


def _cancel(request: HttpRequest, group: OcoGroup, name: str) -> None:
    try:
        group_cancel(group_id=group.pk, requested_by=name, now=timezone.now())
    except NotPossible as refusal:
        messages.warning(request, f"{group}: {refusal}")
        return
    text = gettext("{instrument} {quantity}: the worker cancels its orders next.")
    quantity = format_decimal(group.quantity)
    messages.success(request, text.format(instrument=group.instrument_name, quantity=quantity))


@admin.register(OcoGroup)
class OcoGroupAdmin(ReasonColumn, CancelProtectionMixin, ByIdAdmin):
    list_display = (
        "instrument_name",
        "state_shown",
        "quantity",
        "entry_price",
        "stop_price",
        "take_profit_price",
        "since",
        "link",
        "reason_sentence",
        "on_desk",
    )
    change_list_template = "admin/sync_now_list.html"
    list_filter = (GroupProblemFilter, "state", OpenInstrumentFilter, ClosedFilter)
    search_fields = ("oco_group_id",)
    search_help_text = _(
        "An instrument, the id of a group, or the order id, client_oid or list id of one of its orders"
    )
    list_select_related = ("lot",)
    exclude = ("state", "reason", "reason_code", "reason_params", "exchange_code")
    readonly_fields = (
        "state_shown",
        "reason_sentence",
        "orders",
        "entry_order",
        "trades",
        "events",
        "audit",
        "alerts",
        "began",
    )
    inlines = (LegInline, EventInline)
    actions = ("cancel_protection",)

    def search_conditions(self, term: str) -> list[Q]:
        own = [Q(instrument_name=term), Q(entry_order_id=term), Q(list_id=term)]
        return [*own, *group_searches(term, pk="pk")]

    def view_on_site(self, group: OcoGroup) -> str:
        return reverse("protection-group", args=[group.pk])

    @display(description=_("state"), ordering="state")
    def state_shown(self, group: OcoGroup) -> str:
        return state_label(group.shown_state, group.lot.exit_side)

    @display(description=_("state since"))
    def since(self, group: OcoGroup) -> str | None:
        return format_to_second(group.state_since)

    @display(description=_("orders on the exchange"))
    def orders(self, group: OcoGroup) -> str:
        return orders_of(group.pk)

    @display(description=_("entry order"), empty_value=REQUESTED_BY_USER)
    def entry_order(self, group: OcoGroup) -> str | None:
        return order_link(group.entry_order_id) if group.entry_order_id else None

    @display(description=_("trades"))
    def trades(self, group: OcoGroup) -> str:
        return trades_of(group)

    @display(description=_("event log"))
    def events(self, group: OcoGroup) -> str:
        return events_of(group.pk)

    @display(description=_("audit log"))
    def audit(self, group: OcoGroup) -> str:
        return audit_of(group.pk)

    @display(description=_("alerts"))
    def alerts(self, group: OcoGroup) -> str:
        return alerts_of(group.pk)

    @display(description=_("caused by"))
    def began(self, group: OcoGroup) -> str | None:
        return correlation_link(group.correlation_id)


NONE: Any = _("Not part of any protection")


@admin.register(ExchangeOrder)
class ProtectedOrderAdmin(ExchangeOrderAdmin):
    """Registered here, because this app knows the group of an order."""

    readonly_fields = (*ExchangeOrderAdmin.readonly_fields, "group", "events", "audit", "alerts")

    @display(description=_("protection"), empty_value=NONE)
    def group(self, order: ExchangeOrder) -> str | None:
        return group_link(order.oco_group_id) if order.oco_group_id else None

    @display(description=_("event log"), empty_value=NONE)
    def events(self, order: ExchangeOrder) -> str | None:
        return events_of(order.oco_group_id) if order.oco_group_id else None

    @display(description=_("audit log"), empty_value=NONE)
    def audit(self, order: ExchangeOrder) -> str | None:
        return audit_of(order.oco_group_id) if order.oco_group_id else None

    @display(description=_("alerts"), empty_value=NONE)
    def alerts(self, order: ExchangeOrder) -> str | None:
        return alerts_of(order.oco_group_id) if order.oco_group_id else None


@admin.register(AuditEntry)
class ReasonedAuditEntryAdmin(ReasonColumn, AuditEntryAdmin):
    """Registered here, because this app knows the texts of reasons."""


@admin.register(OcoLeg)
class OcoLegAdmin(ByIdAdmin):
    list_display = ("client_oid", "of", "order_role", "status", "quantity", "executed", "order", "sent")
    list_filter = ("status", "order_role")
    list_select_related = ("group__lot",)
    exclude = ("cancel_answer", "cancel_reason", "refused_text", "refused_reason")
    readonly_fields = ("of", "order", "cancelled", "refused")
    ordering = ("-id",)
    search_fields = ("client_oid",)

    def search_conditions(self, term: str) -> list[Q]:
        return [Q(client_oid=term), Q(order_id=term) & ~Q(order_id="")]

    @display(description=_("response to the cancellation"))
    def cancelled(self, leg: OcoLeg) -> str:
        return render_stored(leg.cancel_reason or leg.cancel_answer)

    @display(description=_("refusal"))
    def refused(self, leg: OcoLeg) -> str:
        return render_stored(leg.refused_reason or leg.refused_text)

    @display(description=_("group"))
    def of(self, leg: OcoLeg) -> str:
        return group_link(leg.group_id, leg.group)

    @display(description=_("order"))
    def order(self, leg: OcoLeg) -> str:
        return order_link(leg.order_id or leg.client_oid)

    @display(description=_("sent at"))
    def sent(self, leg: OcoLeg) -> str | None:
        return format_to_second(leg.sent_at)


class NewStateFilter(ConditionFilter):
    title = _("state reached")
    parameter_name = "new"
    options = tuple((str(state), STATE_LABELS[state], Q(new=state)) for state in State)


@admin.register(OcoEvent)
class OcoEventAdmin(StateColumns, ReasonColumn, ByIdAdmin):
    list_display = ("moment", "of", "old_state", "new_state", "reason_sentence", "orders", "code", "began")
    list_filter = (NewStateFilter, "told")
    list_select_related = ("group__lot",)
    exclude = ("old", "new", "reason", "reason_code", "reason_params")
    readonly_fields = ("of", "old_state", "new_state", "reason_sentence", "orders", "began")
    ordering = ("-id",)
    search_fields = ("group",)
    search_help_text = _(
        "The id of a group, or the order id or client_oid of one of our orders, exactly as shown"
    )

    def search_conditions(self, term: str) -> list[Q]:
        return group_searches(term, pk="group")

    @display(description=_("at"))
    def moment(self, event: OcoEvent) -> str | None:
        return format_to_second(event.at)

    @display(description=_("group"))
    def of(self, event: OcoEvent) -> str:
        return group_link(event.group_id, event.group.instrument_name)

    @display(description=_("orders"))
    def orders(self, event: OcoEvent) -> str:
        return object_links(event.order_ids)

    @display(description=_("caused by"))
    def began(self, event: OcoEvent) -> str | None:
        return correlation_link(event.correlation_id)


@admin.register(UsedReview)
class UsedReviewAdmin(ReadOnlyAdmin):
    list_display = ("nonce", "used_at")
    ordering = ("-used_at",)
