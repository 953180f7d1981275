"""Filters that answer what a worried person asks, without first reading every row for the choices."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import AuditEntry
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES


class QuestionFilter(admin.SimpleListFilter):
    """One question; `answers` are its choices: the word in the address, the words shown, the condition."""

    answers: tuple[tuple[str, str, Q], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, shown) for word, shown, _ in self.answers]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for word, _, condition in self.answers:
            if word == self.value():
                return queryset.filter(condition)
        return queryset


class OrderState(QuestionFilter):
    title = "state"
    parameter_name = "state"
    answers = (
        ("open", "Open", Q(is_open=True)),
        ("executed", "Executed", Q(is_open=False, has_fills=True)),
        ("unknown", "Unknown: missing on the exchange", Q(is_open=True, missing_since__isnull=False)),
        ("partly", "Open and partly filled", Q(is_open=True, has_fills=True)),
    )


class OrderStatus(QuestionFilter):
    title = "status on the exchange"
    parameter_name = "status"
    answers = tuple(
        (status, status, Q(status=status)) for status in sorted(OPEN_STATUSES) + sorted(TERMINAL_STATUSES)
    )


class Lately(admin.SimpleListFilter):
    """How long ago, along an index; a date hierarchy would read every row to find out which years there are."""

    title = "how long ago"
    parameter_name = "within"
    field = "updated_at"
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("hour", "In the last hour"), ("day", "In the last 24 hours"), ("week", "In the last 7 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = self.spans.get(self.value() or "")
        if span is None:
            return queryset
        return queryset.filter(**{f"{self.field}__gte": self.bound(timezone.now() - span)})

    def bound(self, moment: datetime) -> object:
        """`moment` as the column has it."""
        return moment


class TradedLately(Lately):
    field = "create_time_ns"

    def bound(self, moment: datetime) -> object:
        return to_ms(moment) * NS_PER_MS


class RunLately(Lately):
    field = "started_at"


class NotDealtWith(QuestionFilter):
    title = "dealt with for protection"
    parameter_name = "dealt"
    answers = (("no", "Bought and not dealt with yet", Q(is_new=True, side="BUY")),)


class Side(QuestionFilter):
    title = "side"
    parameter_name = "side"
    answers = tuple((side, side, Q(side=side)) for side in ("BUY", "SELL"))


class RunTrouble(QuestionFilter):
    title = "trouble"
    parameter_name = "trouble"
    answers = (
        ("yes", "Not OK: failed, wholly or in part", Q(status__in=["FAILED", "PARTIAL"])),
        ("unfinished", "Never finished", Q(finished_at=None)),
    )


class RangeLeft(QuestionFilter):
    title = "left to read"
    parameter_name = "left"
    answers = (("yes", "Not read to the end", Q(done_at=None)),)


SENT = ("PAIR_PLACE", "ORDER_PLACE", "ORDER_CANCEL", "PAIR_CANCEL", "CANCEL_ALL")
PEOPLE = tuple(sorted(set(AuditEntry.What.values) - set(SENT)))  # by name, not "all but": it goes by an index
DOUBTFUL = ("UNKNOWN", "REFUSED", "NOT_SENT", "TOO_LATE")


class WhoActed(QuestionFilter):
    title = "who"
    parameter_name = "who"
    answers = (
        ("people", "A person asked", Q(what__in=PEOPLE)),
        ("program", "The program sent", Q(what__in=SENT)),
        ("doubtful", "Sent, and not accepted", Q(what__in=SENT, result__in=DOUBTFUL)),
    )
