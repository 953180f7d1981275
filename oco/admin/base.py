"""Shared by the lists of protection: filters, inlines, and links from a group to its records."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    DASH,
    ConditionFilter,
    RecentFilter,
    RightsMixin,
    display,
    format_to_second,
    list_link,
    list_link_by_name,
    number_column,
    uuid_of,
)
from exchange.admin.market import correlation_link, object_links
from exchange.models import AuditEntry, ExchangeOrder, Trade
from oco.labels import state_label
from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.presentation.reasons import render_reason, render_stored
from oco.selectors import PROBLEM_FILTERS, GroupProblem, groups_open

if TYPE_CHECKING:
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyInline = admin.TabularInline  # not subscriptable at run time

REQUESTED_BY_USER: Any = _("Requested by a user")


def order_link(name: str) -> str:
    """A link to the order with this id, or this `client_oid` while it has no id."""
    return list_link(ExchangeOrder, name, q=name)


def group_searches(term: str, *, pk: str) -> list[Q]:
    """Conditions for rows whose group, in the column `pk`, has this id or an order with this id or `client_oid`."""
    legs = OcoLeg.objects.order_by()
    found = [
        Q(**{f"{pk}__in": legs.filter(order_id=term).exclude(order_id="").values("group")}),
        Q(**{f"{pk}__in": legs.filter(client_oid=term).values("group")}),
    ]
    return [*found, Q(**{pk: group})] if (group := uuid_of(term)) else found


class ReadOnlyInline(RightsMixin, AnyInline):
    template = "admin/record_inline.html"
    extra = max_num = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [number_column(self.model, name) for name in super().get_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        numbers = [field for field in self.get_fields(request, obj) if callable(field)]
        return [*super().get_readonly_fields(request, obj), *numbers]


class LegInline(ReadOnlyInline):
    model = OcoLeg
    verbose_name_plural = _("orders, oldest first")
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
        "refused",
    )
    readonly_fields = ("order", "sent", "refused")

    @display(description=_("refusal"))
    def refused(self, leg: OcoLeg) -> str:
        return render_stored(leg.refused_reason or leg.refused_text)

    @display(description=_("order"))
    def order(self, leg: OcoLeg) -> str:
        return order_link(leg.order_id or leg.client_oid)

    @display(description=_("sent at"))
    def sent(self, leg: OcoLeg) -> str | None:
        return format_to_second(leg.sent_at)


class ReasonColumn:
    """The column `reason_sentence` of a row that has a `stored_reason`."""

    @display(description=_("reason"))
    def reason_sentence(self, row: OcoGroup | OcoEvent | AuditEntry) -> str:
        return render_reason(row.stored_reason)


class StateColumns:
    """The columns `old_state` and `new_state` of an event."""

    @display(description=_("state before"))
    def old_state(self, event: OcoEvent) -> str:
        return state_label(event.shown_old, event.group.lot.exit_side)

    @display(description=_("state after"))
    def new_state(self, event: OcoEvent) -> str:
        return state_label(event.shown_state, event.group.lot.exit_side)


class EventInline(StateColumns, ReasonColumn, ReadOnlyInline):
    model = OcoEvent
    verbose_name_plural = _("event log, oldest first")
    fields = ("moment", "old_state", "new_state", "reason_sentence", "orders", "code", "began")
    readonly_fields = ("moment", "old_state", "new_state", "reason_sentence", "orders", "began")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OcoEvent]:
        return super().get_queryset(request).select_related("group__lot")

    @display(description=_("at"))
    def moment(self, event: OcoEvent) -> str | None:
        return format_to_second(event.at)

    @display(description=_("orders"))
    def orders(self, event: OcoEvent) -> str:
        return object_links(event.order_ids)

    @display(description=_("caused by"))
    def began(self, event: OcoEvent) -> str | None:
        return correlation_link(event.correlation_id)


MAX_IDS = 50  # ids in one URL


def orders_of(group_id: UUID) -> str:
    return list_link(ExchangeOrder, gettext("All of its orders"), oco_group_id__exact=str(group_id))


def events_of(group_id: UUID) -> str:
    return list_link(OcoEvent, gettext("Event log"), group__exact=str(group_id))


def alerts_of(group_id: UUID) -> str:
    return list_link_by_name("portfolio_alert", gettext("Its alerts"), oco_group_id__exact=str(group_id))


def trades_of(group: OcoGroup) -> str:
    """The fills of its entry and of its newest orders, by either id of an order."""
    legs = OcoLeg.objects.filter(group=group).order_by("-id").values_list("order_id", "exchange_order_id")
    ids = [group.entry_order_id, *(one for pair in legs[:MAX_IDS] for one in pair)]
    known = ",".join(dict.fromkeys(one for one in ids if one))
    return (
        list_link(Trade, gettext("The fills of its entry and its orders"), order_id__in=known)
        if known
        else DASH
    )


def audit_of(group_id: UUID) -> str:
    """Audit entries with the correlation ids of its latest changes: also those of other groups in the same cycles."""
    events = OcoEvent.objects.filter(group_id=group_id).exclude(correlation_id="")
    names = dict.fromkeys(events.order_by("-id").values_list("correlation_id", flat=True)[: 10 * MAX_IDS])
    known = ",".join(list(names)[:MAX_IDS])
    return (
        list_link(AuditEntry, gettext("Requests and orders at that time"), correlation_id__in=known)
        if known
        else DASH
    )


class GroupProblemFilter(ConditionFilter):
    title = _("problem")
    parameter_name = "danger"
    options = (
        ("unprotected", _("Unprotected: open and not active"), PROBLEM_FILTERS[GroupProblem.UNPROTECTED]),
        ("unknown", _("Unknown"), PROBLEM_FILTERS[GroupProblem.UNKNOWN]),
        ("stop-failed", _("Stop failed"), PROBLEM_FILTERS[GroupProblem.STOP_FAILED]),
        ("leaving", _("Removal requested, not done"), Q(closed_at=None, cancel_requested_at__isnull=False)),
    )


class ClosedFilter(RecentFilter):
    title = _("ended")
    parameter_name = "ended"
    field = "closed_at"


class OpenInstrumentFilter(admin.SimpleListFilter):
    """The pairs of open groups; use the search for others."""

    title = _("instrument with open groups")
    parameter_name = "instrument_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = groups_open().order_by("instrument_name").values_list("instrument_name", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(instrument_name=self.value()) if self.value() else queryset
