"""Which groups, asked by somebody who worries."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from exchange.admin.filters import Lately, QuestionFilter
from oco.selectors import DANGERS, Danger, groups_open


class InDanger(QuestionFilter):
    title = "danger"
    parameter_name = "danger"
    answers = (
        ("unprotected", "Unprotected: open and not active", DANGERS[Danger.UNPROTECTED]),
        ("unknown", "Unknown", DANGERS[Danger.UNKNOWN]),
        ("stop-failed", "Stop failed", DANGERS[Danger.STOP_FAILED]),
        ("leaving", "Cancel asked for, not done", Q(closed_at=None, cancel_requested_at__isnull=False)),
    )


class Ended(Lately):
    title = "ended"
    parameter_name = "ended"
    field = "closed_at"


class InstrumentAtWork(admin.SimpleListFilter):
    """The pairs of open groups; a search finds the others."""

    title = "instrument at work"
    parameter_name = "instrument_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = groups_open().order_by("instrument_name").values_list("instrument_name", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(instrument_name=self.value()) if self.value() else queryset
