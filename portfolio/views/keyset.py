"""Pages of a long list, found by where the last one ended: as quick at the end as at the beginning."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Self, TypeVar

from django.db.models import Model, Q, QuerySet

from exchange.core.utils import EPOCH

T = TypeVar("T")
M = TypeVar("M", bound=Model)

ROWS = 25
IN_A_FILE = 500
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a page ended: a row's number in time, its kind where there are several, and its key."""

    at: int
    rank: int
    key: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From an address; None for none, and for one that nobody wrote here."""
        try:
            at, rank, key = (int(part) for part in text.split("_"))
        except ValueError:
            return None
        return cls(at, rank, key) if max(abs(at), abs(rank), abs(key)) < 2**63 else None

    def __str__(self) -> str:
        return f"{self.at}_{self.rank}_{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows, the newest first; `older` is where the next page begins, None on the last one."""

    rows: Sequence[T]
    older: Place | None = None
    is_first: bool = True


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def newest_page(rows: QuerySet[M], column: str, *, after: Place | None, size: int) -> Page[M]:
    """The next `size` of `rows` by a time `column`, then by key. One query, along the index of that column."""
    found = list(_after(rows, column, after).order_by(f"-{column}", "-id")[: size + 1])
    last = found[size - 1] if len(found) > size else None
    older = None if last is None else Place(micros(getattr(last, column)), 0, last.pk)
    return Page(rows=found[:size], older=older, is_first=after is None)


def _after(rows: QuerySet[M], column: str, place: Place | None) -> QuerySet[M]:
    if place is None:
        return rows
    try:
        at = EPOCH + place.at * MICROSECOND
    except OverflowError:
        return rows.none()
    earlier = Q(**{f"{column}__lt": at}) | Q(**{column: at, "pk__lt": place.key})
    return rows.filter(earlier, **{f"{column}__lte": at})


def every_row(page: Callable[[Place | None], Page[T]]) -> Iterator[T]:
    """All rows, a page at a time, so that no transaction stays open while a file is written."""
    after: Place | None = None
    while True:
        found = page(after)
        yield from found.rows
        if found.older is None:
            return
        after = found.older
