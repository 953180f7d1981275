"""Reads open ranges of history in slices, under the lease, between the cycles."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from exchange.client.client import Client, client_from_settings
from exchange.client.errors import ExchangeError
from exchange.core.database import TRANSACTION_ROWS
from exchange.core.reasons import Sentence, SyncReason
from exchange.core.times import NS_PER_MS, from_ms, to_ms
from exchange.models import HistoryRange, SyncCursor
from exchange.models.sync import Stream
from exchange.services.lease import HISTORY_PURPOSE, Lease, is_stop_requested, lease_is_wanted, lease_take
from exchange.services.runs import account_check, account_confirm
from exchange.sync.fetch import Clock
from exchange.sync.history_sources import MAX_WINDOW_NS, order_source, trade_source
from exchange.sync.orders import order_record_all
from exchange.sync.pagination import PAGE_SIZE, Page, TimeWindow, paginate_history
from exchange.sync.store import gap_record_all, range_open, range_progress
from exchange.sync.trades import trade_record_all
from exchange.sync.unreadable import unreadable_record_all

Progress = Callable[[HistoryRange], None]
Ranges = QuerySet[HistoryRange]
GAPS = (
    HistoryRange.Why.MISSED,
    HistoryRange.Why.BUSY,
)  # what happened while nobody read, or faster than a cycle reads
GAP_TIMEOUT = timedelta(seconds=10)  # of a cycle, for gaps; what is left comes with the next one
LAST_REQUEST_S = 4.0  # of a slice, beyond its end: a cycle waits for the lease no longer
PAGES_PER_TRANSACTION = TRANSACTION_ROWS // PAGE_SIZE
MINUTE_FORMAT = "%Y-%m-%d %H:%M"


def _no_progress(_: HistoryRange) -> None:
    """The default for `on_page`."""


def backfill_is_due(*, since: datetime | None = None) -> bool:
    """Whether a range of history is still to be read, back to `since` where that is given."""
    return _open_ranges(_ns(since)).exists()


def _open_ranges(since_ns: int = 0) -> Ranges:
    return HistoryRange.objects.filter(done_at__isnull=True, next_ns__gt=since_ns)


def _ns(moment: datetime | None) -> int:
    return 0 if moment is None else to_ms(moment) * NS_PER_MS


def history_slice(
    *,
    seconds: float,
    on_page: Progress = _no_progress,
    clock: Clock = timezone.now,
    since: datetime | None = None,
) -> bool | None:
    """Take the lease and read open history for at most `seconds`, and until the last request is answered or has had
    its time, back to `since` where that is given. It ends early when somebody waits for the lease.

    True when nothing is left to read, None when another holder has the lease.
    """
    if not backfill_is_due(since=since):
        return True
    lease = lease_take(purpose=HISTORY_PURPOSE)
    if lease is None:
        return None
    client = client_from_settings(before_request=lease.before_request)
    client.assume_idle(lease.idle_ms)
    client.background = True
    until = clock() + timedelta(seconds=seconds)
    try:
        with client.answer_within(seconds + LAST_REQUEST_S):
            if account_check(client=client, now=clock()):
                with suppress(
                    ExchangeError
                ):  # a key that was right yesterday is asked about again, and may read on
                    account_confirm(client=client, now=clock())
            history = BackfillSlice(
                client, lease, clock, until, on_page, since_ns=_ns(since), gives_way=lease_is_wanted
            )
            return history.run()
    finally:
        client.close()
        lease.release()


@dataclass(slots=True)
class BackfillSlice:
    """Open history read under the lease until a moment; stopped anywhere, it continues from the last page stored."""

    client: Client
    lease: Lease
    clock: Clock
    until: datetime
    on_page: Progress = _no_progress
    since_ns: int = 0
    ranges: Callable[[int], Ranges] = _open_ranges
    gives_way: Callable[[], bool] = lambda: False
    _unstored: list[tuple[HistoryRange, Page[Any]]] = field(default_factory=list)

    def run(self) -> bool:
        """Newest first, one page of each stream in turn; True when nothing is left."""
        try:
            is_done = self._read_all()
        except ExchangeError:
            self._store()
            raise
        self._store()
        return is_done

    def _read_all(self) -> bool:
        readers = self._readers()
        while readers:
            for reader in list(readers):
                if is_stop_requested() or self.clock() >= self.until:
                    return False
                if next(reader, None) is None:
                    readers.remove(reader)
                elif len(self._unstored) >= PAGES_PER_TRANSACTION:
                    self._store()
                if self.gives_way():
                    return False
            if not readers:
                self._store()
                readers = self._readers()
        return True

    def _readers(self) -> list[Iterator[bool]]:
        return [self._read(range_) for range_ in _next_ranges(self.ranges(self.since_ns))]

    def _read(self, range_: HistoryRange) -> Iterator[bool]:
        """One True for each page of `range_`."""
        stream, start, end = Stream(range_.stream), max(range_.start_ns, self.since_ns), range_.next_ns
        while end > start:
            window = TimeWindow(start_ns=max(start, end - MAX_WINDOW_NS[stream]), end_ns=end)
            for page in _pages(self.client, stream, window):
                end = page.left_until_ns
                self._unstored.append((range_, page))
                yield True

    def _store(self) -> None:
        """The pages and how far they reach, together, and only while the lease is still ours."""
        pages_of: dict[HistoryRange, list[Page[Any]]] = {}
        for range_, page in self._unstored:
            pages_of.setdefault(range_, []).append(page)
        self._unstored.clear()
        if not pages_of:
            return
        now = self.clock()
        with transaction.atomic():
            self.lease.renew()
            for range_, pages in pages_of.items():
                _store_pages(range_, pages, now)
            unreadable_record_all(rows=self.client.take_unreadable_rows(), now=now)
        for range_ in pages_of:
            self.on_page(range_)


def _store_pages(range_: HistoryRange, pages: Sequence[Page[Any]], now: datetime) -> None:
    rows = [row for page in pages for row in page.rows]
    if range_.stream == Stream.TRADES:
        trade_record_all(trades=rows, now=now)
    else:
        order_record_all(orders=rows, now=now)
    gap_record_all(stream=range_.stream, gaps=[gap for page in pages for gap in page.gaps], now=now)
    range_progress(range_=range_, left_until_ns=pages[-1].left_until_ns, rows=len(rows), now=now)


@dataclass(frozen=True, slots=True)
class GapResult:
    """Whether a gap brought rows, and what is still to be read of executions, as texts."""

    has_rows: bool = False
    errors: tuple[Sentence, ...] = ()


def gap_read(*, client: Client, lease: Lease, clock: Clock) -> GapResult:
    """Read, at the end of a cycle, what happened while nobody read: executions first, for they may need a stop.

    Slices between the cycles read it too, but a cycle may run without them.
    """
    if not _gaps().exists():
        return GapResult()
    until = clock() + GAP_TIMEOUT
    rows: list[int] = []
    errors: list[Sentence] = []

    def note_rows(range_: HistoryRange) -> None:
        rows.append(range_.rows)

    try:
        for ranges in (_trade_gaps, _gaps):
            with client.repeat_at_most(GAP_TIMEOUT.total_seconds()):
                BackfillSlice(client, lease, clock, until, note_rows, ranges=ranges).run()
    except ExchangeError as error:
        errors.append(error.sentence("History"))
    errors += [_left_text(one) for one in _trade_gaps()]
    return GapResult(any(rows), tuple(errors))


def _gaps(since_ns: int = 0) -> Ranges:
    return _open_ranges(since_ns).filter(why__in=GAPS)


def _trade_gaps(since_ns: int = 0) -> Ranges:
    return _gaps(since_ns).filter(stream=Stream.TRADES)


def _left_text(range_: HistoryRange) -> Sentence:
    start, end = (f"{from_ms(ns // NS_PER_MS):{MINUTE_FORMAT}}" for ns in (range_.start_ns, range_.next_ns))
    text = f"Executions between {start} and {end} UTC are still to be read; what was bought then has no stop yet."
    return Sentence(text, SyncReason.EXECUTIONS_LEFT, start=start, end=end)


def _next_ranges(ranges: Ranges) -> list[HistoryRange]:
    """The newest open range of each stream."""
    newest: dict[str, HistoryRange] = {}
    for range_ in ranges.order_by("-next_ns", "id"):
        newest.setdefault(range_.stream, range_)
    return list(newest.values())


def _pages(client: Client, stream: Stream, window: TimeWindow) -> Iterator[Page[Any]]:
    if stream is Stream.TRADES:
        yield from paginate_history(trade_source(client), window)
    else:
        yield from paginate_history(order_source(client, stream), window)


def extend_history(*, since: datetime, now: datetime) -> list[HistoryRange]:
    """Open, per stream, what no earlier range reached back to; the ranges that are new."""
    start = to_ms(since) * NS_PER_MS
    opened = [_extend_stream(stream, start, now) for stream in Stream]
    return [range_ for range_ in opened if range_ is not None]


def _extend_stream(stream: Stream, start_ns: int, now: datetime) -> HistoryRange | None:
    reached = HistoryRange.objects.filter(stream=stream).aggregate(first=Min("start_ns"))["first"]
    if reached is None:
        cursor = SyncCursor.objects.filter(stream=stream).values_list("read_until_ns", flat=True).first()
        reached = to_ms(now) * NS_PER_MS if cursor is None else cursor
    return range_open(
        stream=stream, start_ns=start_ns, end_ns=reached, why=HistoryRange.Why.ASKED_FOR, now=now
    )
