"""Filters that answer what a worried person asks, without first reading every row for the choices."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from exchange.types import OPEN_STATUSES, TERMINAL_STATUSES


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


class TradeSide(QuestionFilter):
    title = "side"
    parameter_name = "side"
    answers = tuple((side, side, Q(side=side)) for side in ("BUY", "SELL"))


class RunTrouble(QuestionFilter):
    title = "trouble"
    parameter_name = "trouble"
    answers = (
        ("yes", "Failed, wholly or in part", Q(status__in=["FAILED", "PARTIAL"])),
        ("unfinished", "Never finished", Q(finished_at=None)),
    )


class RangeLeft(QuestionFilter):
    title = "left to read"
    parameter_name = "left"
    answers = (("yes", "Not read to the end", Q(done_at=None)),)
