"""Reads a time range of history completely, 100 rows at a time, however the exchange's window works (pure).

The exchange answers the newest 100 rows of a window and takes no cursor (dossier 7). Its window may be on
creation or on update time, and many rows may share a millisecond. A page that is not full is complete. A
full page is followed by the window that ends just after its oldest millisecond, read again; where that makes
no progress, or the order of rows is not sure, the window is split. What cannot be split is reported as a gap.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Generic, TypeVar

from exchange.core.reasons import Problem, problem
from exchange.core.times import NS_PER_MS
from exchange.schemas.parsing import received_count

T = TypeVar("T")
PAGE_SIZE = 100
PAGE_OVERLAP_NS = 2 * NS_PER_MS  # an order was once stamped a millisecond before its creation (dossier 5.16)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """The window [start_ns, end_ns), in whole milliseconds unless it was narrowed inside one.

    `expected_row_id` must come back, or the exchange does not honour nanoseconds: then `by_ms` is set.
    """

    start_ns: int
    end_ns: int
    instrument_name: str = ""
    expected_row_id: str = ""
    by_ms: bool = False

    @property
    def is_one_millisecond(self) -> bool:
        return self.end_ns - self.start_ns <= NS_PER_MS


@dataclass(frozen=True, slots=True)
class Gap:
    """A range that the exchange would not return completely."""

    start_ns: int
    end_ns: int
    instrument_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer. Everything in [left_until_ns, end of the window) has been read."""

    rows: Sequence[T]
    left_until_ns: int
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySource(Generic[T]):
    """How to read one stream: `timestamp_ns` is the time it is sorted by, `row_id` identifies a row.

    `newest_first` is false where the order of the answer is not documented, `has_ns` where timestamps are exact
    to the millisecond only.
    """

    fetch: Callable[[TimeWindow], Sequence[T]]
    timestamp_ns: Callable[[T], int]
    row_id: Callable[[T], str]
    instrument: Callable[[T], str]
    newest_first: bool = True
    has_ns: bool = False
    known_instruments: Collection[str] = field(default=())


def paginate_history(source: HistorySource[T], window: TimeWindow) -> Iterator[Page[T]]:
    """Pages of `window`, newest first; stop at any page and continue later with `left_until_ns` as the end."""
    pending = [window]
    while pending:
        current = pending.pop()
        rows = source.fetch(current)
        narrower, gaps = _narrow(source, current, rows)
        pending += narrower
        left = max((_millisecond_end(remaining.end_ns) for remaining in pending), default=window.start_ns)
        yield Page(rows, min(left, window.end_ns), gaps)


def _narrow(
    source: HistorySource[T], window: TimeWindow, rows: Sequence[T]
) -> tuple[list[TimeWindow], list[Gap]]:
    """The windows still to read after `rows` of `window`, the newest last."""
    if window.expected_row_id and window.expected_row_id not in {source.row_id(row) for row in rows}:
        return [_whole_millisecond(window)], []
    if received_count(rows) < PAGE_SIZE:
        return [], []
    if not rows:  # a full page of which nothing is readable
        halves = [] if window.is_one_millisecond else _split(window, _middle(window))
        return halves, [] if halves else [_gap(window, problem(Problem.FULL_PAGE_UNREADABLE))]
    if window.is_one_millisecond:
        return _split_millisecond(source, window, rows)
    return _older(source, window, rows), []


def _older(source: HistorySource[T], window: TimeWindow, rows: Sequence[T]) -> list[TimeWindow]:
    """Up to just behind the oldest row, where that is sure to be complete; else halves, which always are."""
    newest, oldest = (source.timestamp_ns(row) // NS_PER_MS * NS_PER_MS for row in (rows[0], rows[-1]))
    is_sure = source.newest_first and _is_descending(source, rows, NS_PER_MS)
    if not is_sure or not window.start_ns < oldest < window.end_ns:
        return _split(window, _middle(window))
    remaining = replace(window, end_ns=min(window.end_ns, oldest + PAGE_OVERLAP_NS))
    is_crowded = newest == oldest or remaining.end_ns == window.end_ns
    return _split(remaining, oldest, oldest + NS_PER_MS) if is_crowded else [remaining]


def _middle(window: TimeWindow) -> int:
    middle = (window.start_ns + window.end_ns) // 2 // NS_PER_MS * NS_PER_MS
    return max(middle, window.start_ns + NS_PER_MS)


def _split(window: TimeWindow, *points: int) -> list[TimeWindow]:
    inside = {point for point in points if window.start_ns < point < window.end_ns}
    edges = sorted({window.start_ns, window.end_ns, *inside})
    return [replace(window, start_ns=start, end_ns=end) for start, end in pairwise(edges)]


def _split_millisecond(
    source: HistorySource[T], window: TimeWindow, rows: Sequence[T]
) -> tuple[list[TimeWindow], list[Gap]]:
    if window.instrument_name:
        busy = problem(Problem.BUSY_MILLISECOND, rows=PAGE_SIZE, name=window.instrument_name)
        return [], [_gap(window, busy)]
    until = source.timestamp_ns(rows[-1]) + 1
    exact = source.has_ns and not window.by_ms and _is_descending(source, rows, 1)
    if exact and window.start_ns < until < window.end_ns:
        return [replace(window, end_ns=until, expected_row_id=source.row_id(rows[-1]))], []
    return _by_instrument(source, window, rows)


def _by_instrument(
    source: HistorySource[T], window: TimeWindow, rows: Sequence[T]
) -> tuple[list[TimeWindow], list[Gap]]:
    names = sorted({source.instrument(row) for row in rows} | set(source.known_instruments))
    windows = [replace(window, instrument_name=name, expected_row_id="") for name in names]
    return windows, [_gap(window, problem(Problem.ASKED_ONE_BY_ONE, rows=PAGE_SIZE, count=len(names)))]


def _is_descending(source: HistorySource[T], rows: Sequence[T], unit_ns: int) -> bool:
    stamps = [source.timestamp_ns(row) // unit_ns for row in rows]
    return stamps == sorted(stamps, reverse=True)


def _millisecond_end(ns: int) -> int:
    return -(-ns // NS_PER_MS) * NS_PER_MS


def _whole_millisecond(window: TimeWindow) -> TimeWindow:
    start = window.start_ns // NS_PER_MS * NS_PER_MS
    return replace(window, start_ns=start, end_ns=start + NS_PER_MS, expected_row_id="", by_ms=True)


def _gap(window: TimeWindow, reason: str) -> Gap:
    return Gap(window.start_ns, window.end_ns, window.instrument_name, reason)
