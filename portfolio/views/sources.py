"""Where the journal comes from: fills, the journal of the protection, and cycles that failed. Each newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet

from exchange.core.utils import EPOCH, NS_PER_MS, from_ms, to_ms
from exchange.models import SyncRun, Trade
from oco.models import OcoEvent, OcoGroup
from portfolio.views.keyset import MICROSECOND, Place, micros
from portfolio.views.list_forms import JournalForm

Rows = QuerySet[Any]
NS_PER_US = 1000
FILL, EVENT, TROUBLE = 3, 2, 1  # of the same instant, the fill stands above what follows from it


class Kind(StrEnum):
    FILL = "fill"
    EVENT = "protection"
    TROUBLE = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened; `place` orders it among all others."""

    kind: Kind
    place: Place
    at: datetime
    trade: Trade | None = None
    event: OcoEvent | None = None
    run: SyncRun | None = None


def happenings(form: JournalForm, *, after: Place | None, size: int) -> list[Happening]:
    """The next `size` of everything that the form asks for. At most four queries, each along an index."""
    asked, instrument = form.cleaned_data["kind"], form.cleaned_data["instrument"]
    found: list[Happening] = []
    if asked in ("", JournalForm.FILLS):
        found += _fills(form, instrument, after, size)
    if asked in ("", JournalForm.PROTECTION):
        found += _events(form, instrument, after, size)
    if asked == JournalForm.SYNC or (not asked and not instrument):
        found += _troubles(form, after, size)
    return sorted(found, key=lambda one: one.place, reverse=True)[:size]


def _fills(form: JournalForm, instrument: str, after: Place | None, size: int) -> Iterator[Happening]:
    rows = Trade.objects.all()
    if instrument:
        rows = rows.filter(instrument_name=instrument)
    if form.begins:
        rows = rows.filter(create_time_ns__gte=to_ms(form.begins) * NS_PER_MS)
    if form.ends:
        rows = rows.filter(create_time_ns__lt=to_ms(form.ends) * NS_PER_MS)
    if after is not None:
        rows = rows.filter(_earlier("create_time_ns", after.at, FILL, after), create_time_ns__lte=after.at)
    for trade in rows.order_by("-create_time_ns", "-id")[:size]:
        at = from_ms(trade.create_time_ns // NS_PER_MS)
        yield Happening(kind=Kind.FILL, place=Place(trade.create_time_ns, FILL, trade.pk), at=at, trade=trade)


def _events(form: JournalForm, instrument: str, after: Place | None, size: int) -> Iterator[Happening]:
    rows = _period(OcoEvent.objects.select_related("group__lot"), "at", form)
    if instrument:
        rows = rows.filter(group__in=OcoGroup.objects.filter(instrument_name=instrument))
    for event in _older(rows, "at", EVENT, after)[:size]:
        place = Place(micros(event.at) * NS_PER_US, EVENT, event.pk)
        yield Happening(kind=Kind.EVENT, place=place, at=event.at, event=event)


def _troubles(form: JournalForm, after: Place | None, size: int) -> Iterator[Happening]:
    """One query for each status: so the index of each gives them in order."""
    for status in (SyncRun.Status.FAILED, SyncRun.Status.PARTIAL):
        rows = _period(SyncRun.objects.filter(status=status, finished_at__isnull=False), "finished_at", form)
        for run in _older(rows, "finished_at", TROUBLE, after)[:size]:
            at = run.finished_at or run.started_at
            place = Place(micros(at) * NS_PER_US, TROUBLE, run.pk)
            yield Happening(kind=Kind.TROUBLE, place=place, at=at, run=run)


def _period(rows: Rows, column: str, form: JournalForm) -> Rows:
    if form.begins:
        rows = rows.filter(**{f"{column}__gte": form.begins})
    return rows.filter(**{f"{column}__lt": form.ends}) if form.ends else rows


def _older(rows: Rows, column: str, rank: int, after: Place | None) -> Rows:
    """From `after` on, the newest first. A place within a microsecond has everything of it before itself."""
    ordered = rows.order_by(f"-{column}", "-pk")
    if after is None:
        return ordered
    try:
        at = EPOCH + after.at // NS_PER_US * MICROSECOND
    except OverflowError:
        return ordered.none()
    if after.at % NS_PER_US:
        return ordered.filter(**{f"{column}__lte": at})
    return ordered.filter(_earlier(column, at, rank, after), **{f"{column}__lte": at})


def _earlier(column: str, at: int | datetime, rank: int, after: Place) -> Q:
    earlier = Q(**{f"{column}__lt": at})
    if rank < after.rank:
        return earlier | Q(**{column: at})
    return earlier | Q(**{column: at, "pk__lt": after.key}) if rank == after.rank else earlier
