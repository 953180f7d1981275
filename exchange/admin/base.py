"""Read-only admin lists and pages that stay fast with a million rows, their filters, and links between them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import cents, number_text
from exchange.core.times import NS_PER_MS, to_ms
from exchange.fields import ExactDecimalField
from exchange.labels import ORDER_STATUS_LABELS
from exchange.models import AuditEntry
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES
from exchange.selectors import UNTRIGGERED_STATUSES, has_shown_status
from exchange.services.permissions import Right, has_right

DASH = "–"
Method = TypeVar("Method", bound=Callable[..., Any])


def display(
    *, description: Any, empty_value: Any = DASH, ordering: str | None = None
) -> Callable[[Method], Method]:
    """Like `admin.display`, but `empty_value` also stands on detail pages and in inline tables, where Django shows None
    as a word. Use it for every column that is a method.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def column(*args: Any) -> Any:
            value = method(*args)
            return empty_value if value is None or value == "" else value

        return cast("Method", admin.display(column, description=description, ordering=ordering))

    return decorate


def list_link(model: type[Model], text: str, **query: str) -> str:
    """A link to the admin's list of `model`, filtered by `query`."""
    return list_link_by_name(_name(model), text, **query)


def list_link_by_name(name: str, text: str, **query: str) -> str:
    """Like `list_link`, for a model of another app, such as `portfolio_alert`."""
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{name}_changelist"), urlencode(query), text)


def link(name: str, text: object, *args: object) -> str:
    return format_html('<a href="{}">{}</a>', reverse(name, args=args), text)


def group_link(group_id: UUID | str, text: object = "") -> str:
    """A link to a group, which is in another app."""
    return link("admin:oco_ocogroup_change", text or group_id, group_id)


def uuid_of(text: str) -> UUID | None:
    """The id in `text`, or None if it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _name(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


MAX_COUNT = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # takes no type parameter at run time
    """Counts to `MAX_COUNT` only, so that a long list opens quickly.

    Use a filter or a search by id for older rows.
    """

    @cached_property
    def count(self) -> int:
        return min(self._capped_count, MAX_COUNT)

    @cached_property
    def is_cut(self) -> bool:
        return self._capped_count > MAX_COUNT

    @cached_property
    def _capped_count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: MAX_COUNT + 1].count())


if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin  # not subscriptable at run time


def format_to_second(moment: datetime | None) -> str | None:
    """In the configured time zone; the admin's own format stops at minutes."""
    return None if moment is None else f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


class RightsMixin:
    """Asks for the rights that pages and API ask for, instead of Django's four permissions of each model."""

    view_right = Right.VIEW
    change_right: Right | None = None
    empty_value_display = DASH

    def has_module_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, self.view_right)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_right(request.user, self.view_right)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def _may_change(self, request: HttpRequest) -> bool:
        return self.change_right is not None and has_right(request.user, self.change_right)


class RightsAdmin(RightsMixin, AnyAdmin):
    """An admin whose records can be changed by users with `change_right`."""


def number_column(model: type[Model], name: Any, *, in_list: bool = False) -> Any:
    """A decimal column as the reader writes numbers, in place of the field `name`; anything else as it is.

    Amounts in USD are shown in cents in a list, with all their digits on the page of the record.
    """
    field = {one.name: one for one in model._meta.concrete_fields}.get(name)
    if not isinstance(field, ExactDecimalField):
        return name
    is_amount = field.name.endswith("usd") and not field.name.startswith("price")
    return _number_column(field, in_list and is_amount)


@cache
def _number_column(field: ExactDecimalField, in_cents: bool) -> Any:
    @display(description=field.verbose_name)
    def column(row: Any) -> str | None:
        value = getattr(row, field.name)
        return None if value is None else number_text(cents(value) if in_cents else value)

    column.__name__ = field.name
    return column


class ReadOnlyAdmin(RightsAdmin):
    """Records are created by the program only; here they are shown, in index order."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions: Sequence[str] | None = None
    sortable_by = ()
    view_on_site: Any = False  # or a method that returns the URL of the page on the site

    @display(description=_("on site"), empty_value="")
    def on_desk(self, row: Model) -> str | None:
        address = self.get_view_on_site_url(row)
        hidden = gettext("{row} on its page").format(row=row)
        html = '<a href="{}">{}<span class="vh"> {}</span></a>'
        return address and format_html(html, address, gettext("Show"), hidden)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = list(super().get_fields(request, obj))
        names.sort(key=lambda name: name not in self.readonly_fields)
        return [number_column(self.model, name) for name in names]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [number_column(self.model, name, in_list=True) for name in super().get_list_display(request)]


class ByIdAdmin(ReadOnlyAdmin):
    """Its search finds whole ids through an index, instead of scanning every row for a part of one.

    `search_fields` shows the search box; the conditions are in `search_conditions`.
    """

    search_help_text = _("A whole id or name, exactly as on the exchange")

    def search_conditions(self, term: str) -> list[Q]:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        rows = self.model._default_manager.order_by()
        first, *others = (rows.filter(search).values("pk") for search in self.search_conditions(term))
        return queryset.filter(pk__in=first.union(*others, all=True)), False


# Filters with fixed choices: none scans the rows to find them


class ConditionFilter(admin.SimpleListFilter):
    """`options` are (value in the URL, label, condition)."""

    title: Any
    options: tuple[tuple[str, str | Promise, Q], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(word, shown) for word, shown, _condition in self.options]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for word, _shown, condition in self.options:
            if word == self.value():
                return queryset.filter(condition)
        return queryset


class OrderStateFilter(ConditionFilter):
    title = _("state")
    parameter_name = "state"
    options = (
        ("open", _("Open"), Q(is_open=True)),
        ("executed", _("Executed"), Q(is_open=False, has_fills=True)),
        ("unknown", _("Unknown: missing on the exchange"), Q(is_open=True, missing_since__isnull=False)),
        ("partly", _("Open and partly filled"), Q(is_open=True, has_fills=True)),
    )


class OrderStatusFilter(ConditionFilter):
    """By the status that is shown; what waits for its trigger price is active."""

    title = _("status")
    parameter_name = "status"
    options = (
        ("NEW", ORDER_STATUS_LABELS["NEW"], has_shown_status("NEW") | has_shown_status("PENDING")),
        *(
            (status, ORDER_STATUS_LABELS[status], has_shown_status(status))
            for status in sorted(OPEN_STATUSES - set(UNTRIGGERED_STATUSES)) + sorted(TERMINAL_STATUSES)
        ),
    )


class RecentFilter(admin.SimpleListFilter):
    """Age of a row, along an index; a date hierarchy would scan every row to find the years."""

    title = _("how long ago")
    parameter_name = "within"
    field = "updated_at"
    periods = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("hour", _("In the last hour")),
            ("day", _("In the last 24 hours")),
            ("week", _("In the last 7 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = self.periods.get(self.value() or "")
        if period is None:
            return queryset
        return queryset.filter(**{f"{self.field}__gte": self.column_value(timezone.now() - period)})

    def column_value(self, moment: datetime) -> object:
        """`moment` in the format of the column."""
        return moment


class RecentTradesFilter(RecentFilter):
    field = "create_time_ns"

    def column_value(self, moment: datetime) -> object:
        return to_ms(moment) * NS_PER_MS


class RecentRunsFilter(RecentFilter):
    field = "started_at"


class UnprocessedFilter(ConditionFilter):
    title = _("processed for protection")
    parameter_name = "dealt"
    options = (("no", _("Bought and not processed yet"), Q(is_new=True, side="BUY")),)


class SideFilter(ConditionFilter):
    title = _("side")
    parameter_name = "side"
    options = tuple((side, side, Q(side=side)) for side in ("BUY", "SELL"))


class FailedRunFilter(ConditionFilter):
    title = _("problem")
    parameter_name = "trouble"
    options = (
        ("yes", _("Failed, fully or partly"), Q(status__in=["FAILED", "PARTIAL"])),
        ("unfinished", _("Never finished"), Q(finished_at=None)),
    )


class UnfinishedRangeFilter(ConditionFilter):
    title = _("left to read")
    parameter_name = "left"
    options = (("yes", _("Not read to the end"), Q(done_at=None)),)


SENT_ACTIONS = ("PAIR_PLACE", "ORDER_PLACE", "ORDER_CANCEL", "PAIR_CANCEL", "CANCEL_ALL")
PERSON_ACTIONS = tuple(
    sorted(set(AuditEntry.Action.values) - set(SENT_ACTIONS))
)  # listed, not excluded, so that the query uses an index
FAILED_RESULTS = ("UNKNOWN", "REFUSED", "NOT_SENT", "TOO_LATE")


class ActorFilter(ConditionFilter):
    title = _("who")
    parameter_name = "who"
    options = (
        ("people", _("Requested by a user"), Q(what__in=PERSON_ACTIONS)),
        ("program", _("Sent by the program"), Q(what__in=SENT_ACTIONS)),
        ("doubtful", _("Sent, and not accepted"), Q(what__in=SENT_ACTIONS, result__in=FAILED_RESULTS)),
    )
