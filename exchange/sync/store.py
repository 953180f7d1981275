"""Stores what a cycle read: orders, fills, the catalogue, and how far each history has been read.

An answer that is empty by error looks as if there were nothing (dossier 10). So an empty answer, or one with rows that
cannot be read, does not move a stream for two hours, and then the range that was read only once is left to the
backfill; and trades do not count as read past an order that executed more than they show.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q

from exchange import schemas
from exchange.core.reasons import sentence_columns
from exchange.core.times import EPOCH, NS_PER_DAY, NS_PER_MS, from_ms, to_ms
from exchange.models import ExchangeOrder, HistoryGap, HistoryRange, SyncCursor, Trade
from exchange.models.sync import Stream
from exchange.selectors import reported_quantities
from exchange.sync.fetch import AccountSnapshot, FetchedStream, FetchPlan, FetchResult, OrderKey
from exchange.sync.market_data import instrument_record_all
from exchange.sync.order_rows import OrderRow
from exchange.sync.orders import OrderChanges, order_missing_all, order_store, prepare_order_changes
from exchange.sync.pagination import PAGE_OVERLAP_NS, Gap, TimeWindow
from exchange.sync.trades import (
    NO_DISPUTES,
    ReadRange,
    TradeDisputes,
    TradeRow,
    disputes_store,
    prepare_trades,
    trade_store,
)
from exchange.sync.windows import CYCLE_OVERLAP_NS, LOOKAHEAD_NS

MAX_TRADE_LAG = timedelta(minutes=5)  # trades may come so much later than their order
# After so long an order is given up: its trades may carry ids that nothing names (dossier 11.2).
MAX_TRADE_WAIT = timedelta(hours=2)
Why = HistoryRange.Why
RETENTION_NS = 183 * NS_PER_DAY  # older records only through support (dossier 7)
MAX_TRANSACTION_ROWS = 400  # new and changed orders and fills in one transaction, with balances and cursors
ZERO = Decimal(0)
ORDER_COLUMNS = (
    *("order_id", "exchange_order_id", "client_oid", "instrument_name"),
    *("filled_quantity", "created_at", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What a cycle brought, for the log and for `SyncRun`."""

    open_orders: int
    executed_orders: int
    trades: int


@dataclass(frozen=True, slots=True)
class PendingChanges:
    """What a cycle will write, worked out before anything is locked."""

    orders: OrderChanges
    trades: Sequence[TradeRow]
    missing: Sequence[OrderKey] = ()
    disputes: TradeDisputes = NO_DISPUTES

    @property
    def is_empty(self) -> bool:
        return not (self.orders.size or self.trades or self.missing or self.disputes.changed)


def prepare_changes(
    *, snapshot: AccountSnapshot, now: datetime, fetch_plan: FetchPlan | None = None
) -> PendingChanges:
    """Compare what was read with what we know; a part that is not complete changes nothing. With `fetch_plan`, fills
    that were to be read again and are missing are noted.
    """
    reported = [order for part in snapshot.open_orders.values() for order in part.value or ()]
    reported += [order for part in snapshot.histories.values() if part.value for order in part.value.rows]
    reported += [order for order in snapshot.looked_up.values() if order is not None]
    trades = snapshot.trades.value.rows if snapshot.trades.value else []
    missing = [key for key, order in snapshot.looked_up.items() if order is None]
    read = _read_again(snapshot.trades.value, fetch_plan) if fetch_plan else None
    rows, disputes = prepare_trades(trades=trades, now=now, read=read)
    return PendingChanges(prepare_order_changes(orders=reported, now=now), rows, missing, disputes)


def _read_again(stream: FetchedStream[schemas.Trade] | None, fetch_plan: FetchPlan) -> ReadRange | None:
    """The range that these answers cover completely, if fills of it were stored before."""
    window, newest = fetch_plan.windows[Stream.TRADES], fetch_plan.newest_trade_ns
    if stream is None or stream.gaps or stream.unreadable or newest is None:
        return None
    start = max(window.start_ns, stream.left_until_ns) + PAGE_OVERLAP_NS
    return ReadRange(start, window.end_ns) if newest >= start else None


def rest_of(snapshot: AccountSnapshot, *, stored: AccountSnapshot) -> AccountSnapshot:
    """What `snapshot` brought beyond `stored`, for `prepare_changes`."""
    late = {key: order for key, order in snapshot.looked_up.items() if key not in stored.looked_up}
    histories = {} if stored.histories else snapshot.histories
    return replace(snapshot, open_orders={}, histories=histories, trades=FetchResult(), looked_up=late)


def single_transaction(changes: PendingChanges) -> AbstractContextManager[Any]:
    """One transaction for everything, unless it is so large that pages would have to wait for it."""
    rows = changes.orders.size + len(changes.trades)
    return transaction.atomic() if rows <= MAX_TRANSACTION_ROWS else nullcontext()


def catalogue_record(*, snapshot: AccountSnapshot, now: datetime) -> None:
    """Store the catalogue when it was read; it is not part of the snapshot."""
    if snapshot.instruments and snapshot.instruments.value:
        instrument_record_all(instruments=snapshot.instruments.value, now=now)


def snapshot_record(
    *, snapshot: AccountSnapshot, changes: PendingChanges, fetch_plan: FetchPlan, now: datetime
) -> SyncCounts:
    """Store what was read. The cursors move last: stopped anywhere before, the same is simply read again."""
    changes_store(changes=changes, now=now)
    cursors_advance(snapshot=snapshot, fetch_plan=fetch_plan, now=now)
    return sync_counts(snapshot=snapshot, changes=[changes])


def changes_store(*, changes: PendingChanges, now: datetime) -> None:
    """Store orders and fills."""
    order_store(changes=changes.orders)
    order_missing_all(keys=changes.missing, now=now)
    trade_store(rows=changes.trades)
    with transaction.atomic(savepoint=False):
        disputes_store(disputes=changes.disputes)


def cursors_advance(*, snapshot: AccountSnapshot, fetch_plan: FetchPlan, now: datetime) -> None:
    """Note how far each stream is read; what it brought must be stored already."""
    read = fetch_plan.read_until_ns
    if read is None:
        read = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    for stream, part in snapshot.fetched_streams.items():
        _advance_cursor(stream, part, fetch_plan.windows[stream], read.get(stream), now)


def sync_counts(*, snapshot: AccountSnapshot, changes: Sequence[PendingChanges]) -> SyncCounts:
    """Of `changes` stored one after the other."""
    listed = [order for part in snapshot.open_orders.values() for order in part.value or ()]
    executed = {key for each in changes for key in each.orders.executed}
    rows = {key: row for each in changes for key, row in each.orders.rows.items()}
    return SyncCounts(_open_count(rows, listed), len(executed), sum(len(each.trades) for each in changes))


def _open_count(known: Mapping[OrderKey, OrderRow], listed: Sequence[schemas.Order]) -> int:
    """Each order once; a stale list may still name one that we know has ended."""
    rows = [known[order.name_space, order.order_id] for order in listed]
    return sum(row.is_open and not row.is_mirror for row in rows)


def _advance_cursor(
    stream: Stream, part: FetchResult[FetchedStream[Any]], window: TimeWindow, read: int | None, now: datetime
) -> None:
    """Move the cursor to now; what the window did not reach, or was too busy to give, becomes a range."""
    if part.value is None:
        return
    earliest = window.end_ns - RETENTION_NS
    since, why = (
        (earliest, Why.FIRST_RUN) if read is None else (max(read - CYCLE_OVERLAP_NS, earliest), Why.MISSED)
    )
    left, until = part.value.left_until_ns, window.end_ns - LOOKAHEAD_NS
    with transaction.atomic():
        range_open(stream=stream, start_ns=since, end_ns=window.start_ns, why=why, now=now)
        range_open(stream=stream, start_ns=window.start_ns, end_ns=left, why=Why.BUSY, now=now)
        gap_record_all(stream=stream, gaps=part.value.gaps, now=now)
        is_doubtful = part.value.unreadable or not part.value.rows
        if is_doubtful and left <= window.start_ns:
            until = empty_read_until(read_until_ns=until, before_ns=read)
            passed = until - CYCLE_OVERLAP_NS
            if read is not None and passed > read:  # the next window begins behind what was asked for once
                why = Why.UNREADABLE if part.value.unreadable else Why.EMPTY
                range_open(stream=stream, start_ns=window.start_ns, end_ns=passed, why=why, now=now)
        if stream is Stream.TRADES:
            until = trades_read_until(read_until_ns=until, before_ns=read, reported_from_ns=left)
        cursor_advance(stream=stream, read_until_ns=until)


def empty_read_until(*, read_until_ns: int, before_ns: int | None) -> int:
    """How far a stream counts as read after an answer without rows: not further, for two hours."""
    if before_ns is None:
        return read_until_ns
    kept = max(before_ns, read_until_ns - to_ms(EPOCH + MAX_TRADE_WAIT) * NS_PER_MS)
    return min(kept, read_until_ns)  # a clock that ran ahead may have put the cursor into the future


def trades_read_until(*, read_until_ns: int, before_ns: int | None, reported_from_ns: int) -> int:
    """`read_until_ns`, or the moment of the first order since `before_ns` whose trades are still missing.

    What executed before `reported_from_ns` is left to the backfill anyway.
    """
    now = from_ms(read_until_ns // NS_PER_MS)
    cutoff = max(now - MAX_TRADE_WAIT, from_ms(reported_from_ns // NS_PER_MS))
    if before_ns is not None:
        cutoff = max(cutoff, from_ms((before_ns - CYCLE_OVERLAP_NS) // NS_PER_MS))
    found = ExchangeOrder.objects.filter(
        updated_at__gt=cutoff, updated_at__lt=now - MAX_TRADE_LAG, has_fills=True, is_mirror=False
    )
    orders = list(found.only(*ORDER_COLUMNS).order_by("updated_at"))
    reported = reported_quantities(orders)
    first = next((order for order in orders if not _has_all_trades(order, reported)), None)
    return read_until_ns if first is None else min(read_until_ns, to_ms(first.updated_at) * NS_PER_MS)


def _has_all_trades(order: ExchangeOrder, reported: dict[int, Decimal]) -> bool:
    if reported.get(order.pk, ZERO) >= order.filled_quantity:
        return True
    named = Q(order_id__in={order.order_id, order.exchange_order_id} - {""})
    if order.client_oid:
        named |= Q(client_oid=order.client_oid)
    since = to_ms(order.created_at) * NS_PER_MS
    trades = Trade.objects.filter(named, instrument_name=order.instrument_name, create_time_ns__gte=since)
    return bool(sum(trades.values_list("quantity", flat=True), ZERO) >= order.filled_quantity)


def cursor_advance(*, stream: str, read_until_ns: int) -> None:
    """Everything up to `read_until_ns` is read or stands in an open range."""
    if not SyncCursor.objects.filter(stream=stream).update(read_until_ns=read_until_ns):
        SyncCursor.objects.create(stream=stream, read_until_ns=read_until_ns)


def range_open(*, stream: str, start_ns: int, end_ns: int, why: str, now: datetime) -> HistoryRange | None:
    """Note [start_ns, end_ns) as still to be read; nothing when it is empty."""
    if start_ns >= end_ns:
        return None
    return HistoryRange.objects.create(
        stream=stream, start_ns=start_ns, end_ns=end_ns, next_ns=end_ns, why=why, created_at=now
    )


def range_progress(*, range_: HistoryRange, left_until_ns: int, rows: int, now: datetime) -> None:
    """What lies at or after `left_until_ns` is stored; the range is done when nothing is left."""
    range_.next_ns = left_until_ns
    range_.rows += rows
    range_.done_at = now if left_until_ns <= range_.start_ns else None
    range_.save(update_fields=["next_ns", "rows", "done_at"])


def gap_record_all(*, stream: str, gaps: Iterable[Gap], now: datetime) -> None:
    """Record that these ranges may stay incomplete."""
    for gap in gaps:
        HistoryGap.objects.get_or_create(
            stream=stream,
            instrument_name=gap.instrument_name,
            start_ns=gap.start_ns,
            end_ns=gap.end_ns,
            defaults={"reason": gap.reason, **sentence_columns(gap.reason), "found_at": now},
        )
