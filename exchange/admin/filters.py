"""Admin filters with fixed choices: none scans the rows to find them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import AuditEntry
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES


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
    title = _("status on the exchange")
    parameter_name = "status"
    options = tuple(
        (status, status, Q(status=status)) for status in sorted(OPEN_STATUSES) + sorted(TERMINAL_STATUSES)
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
