"""Reads a stretch of history completely, 100 rows at a time, whatever the exchange's window means (pure).

The exchange answers the newest 100 rows of a window and takes no cursor (dossier 7). Its window may be on
creation or on update time, and many rows may share a millisecond. A page that is not full is complete. A
full page is followed by the window that ends just behind its oldest millisecond, read again; where that makes
no progress, or the order of rows is not sure, the window is cut. What cannot be cut is a gap that is told.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Generic, TypeVar

from exchange.core.times import NS_PER_MS

T = TypeVar("T")
PAGE = 100
OVERLAP_NS = 2 * NS_PER_MS  # an order was once stamped a millisecond before its creation (dossier 5.16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The window [start_ns, end_ns), in whole milliseconds unless it was narrowed inside one.

    `proof` is a row that must come back, or the exchange does not honour nanoseconds; `by_ms` says so.
    """

    start_ns: int
    end_ns: int
    instrument_name: str = ""
    proof: str = ""
    by_ms: bool = False

    @property
    def is_one_tick(self) -> bool:
        return self.end_ns - self.start_ns <= NS_PER_MS


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that the exchange would not give completely."""

    start_ns: int
    end_ns: int
    instrument_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer. Everything in [left_until_ns, end of the walk) has been read."""

    rows: Sequence[T]
    left_until_ns: int
    gaps: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[T]):
    """How to read one stream: `stamp_ns` is the time it is sorted by, `identity` names a row.

    `newest_first` is false where the order of the answer is not documented, `has_ns` where stamps are exact
    to the millisecond only.
    """

    fetch: Callable[[Span], Sequence[T]]
    stamp_ns: Callable[[T], int]
    identity: Callable[[T], str]
    instrument: Callable[[T], str]
    newest_first: bool = True
    has_ns: bool = False
    known_instruments: Collection[str] = field(default=())


def walk(source: Source[T], span: Span) -> Iterator[Page[T]]:
    """Pages of `span`, newest first; stop at any page and go on later with `left_until_ns` as the end."""
    pending = [span]
    while pending:
        part = pending.pop()
        rows = source.fetch(part)
        narrower, gaps = _narrow(source, part, rows)
        pending += narrower
        left = max((_tick_end(rest.end_ns) for rest in pending), default=span.start_ns)
        yield Page(rows, min(left, span.end_ns), gaps)


def _narrow(source: Source[T], span: Span, rows: Sequence[T]) -> tuple[list[Span], list[Gap]]:
    """The windows still to read after `rows` of `span`, the newest last."""
    if span.proof and span.proof not in {source.identity(row) for row in rows}:
        return [_whole_tick(span)], []
    if len(rows) < PAGE:
        return [], []
    if span.is_one_tick:
        return _inside_tick(source, span, rows)
    return _older(source, span, rows), []


def _older(source: Source[T], span: Span, rows: Sequence[T]) -> list[Span]:
    """Up to just behind the oldest row, where that is sure to be complete; else halves, which always are."""
    newest, oldest = (source.stamp_ns(row) // NS_PER_MS * NS_PER_MS for row in (rows[0], rows[-1]))
    is_sure = source.newest_first and _is_falling(source, rows, NS_PER_MS)
    if not is_sure or not span.start_ns < oldest < span.end_ns:
        return _cut(span, _middle(span))
    rest = replace(span, end_ns=min(span.end_ns, oldest + OVERLAP_NS))
    is_crowded = newest == oldest or rest.end_ns == span.end_ns
    return _cut(rest, oldest, oldest + NS_PER_MS) if is_crowded else [rest]


def _middle(span: Span) -> int:
    middle = (span.start_ns + span.end_ns) // 2 // NS_PER_MS * NS_PER_MS
    return max(middle, span.start_ns + NS_PER_MS)


def _cut(span: Span, *cuts: int) -> list[Span]:
    inside = {cut for cut in cuts if span.start_ns < cut < span.end_ns}
    edges = sorted({span.start_ns, span.end_ns, *inside})
    return [replace(span, start_ns=start, end_ns=end) for start, end in pairwise(edges)]


def _inside_tick(source: Source[T], span: Span, rows: Sequence[T]) -> tuple[list[Span], list[Gap]]:
    if span.instrument_name:
        return [], [_gap(span, f"more than {PAGE} rows of {span.instrument_name} in one millisecond")]
    until = source.stamp_ns(rows[-1]) + 1
    exact = source.has_ns and not span.by_ms and _is_falling(source, rows, 1)
    if exact and span.start_ns < until < span.end_ns:
        return [replace(span, end_ns=until, proof=source.identity(rows[-1]))], []
    return _by_instrument(source, span, rows)


def _by_instrument(source: Source[T], span: Span, rows: Sequence[T]) -> tuple[list[Span], list[Gap]]:
    names = sorted({source.instrument(row) for row in rows} | set(source.known_instruments))
    spans = [replace(span, instrument_name=name, proof="") for name in names]
    return spans, [
        _gap(span, f"more than {PAGE} rows in one millisecond; asked {len(names)} instruments one by one")
    ]


def _is_falling(source: Source[T], rows: Sequence[T], unit_ns: int) -> bool:
    stamps = [source.stamp_ns(row) // unit_ns for row in rows]
    return stamps == sorted(stamps, reverse=True)


def _tick_end(ns: int) -> int:
    return -(-ns // NS_PER_MS) * NS_PER_MS


def _whole_tick(span: Span) -> Span:
    start = span.start_ns // NS_PER_MS * NS_PER_MS
    return replace(span, start_ns=start, end_ns=start + NS_PER_MS, proof="", by_ms=True)


def _gap(span: Span, reason: str) -> Gap:
    return Gap(span.start_ns, span.end_ns, span.instrument_name, reason)
