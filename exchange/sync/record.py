"""Writes one pull down: orders, fills, catalogue, and how far the histories have been read."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from exchange import schemas
from exchange.core.utils import NS_PER_DAY
from exchange.models import SyncCursor, Trade
from exchange.models.history import Stream
from exchange.sync.explained import empty_read_until, trades_read_until
from exchange.sync.history import cursor_advance, gap_record_all, range_open
from exchange.sync.instruments import instrument_record_all
from exchange.sync.pagination import Span
from exchange.sync.services_orders import OrderDraft, order_draft, order_missing_all, order_store
from exchange.sync.sync import Heard, Part, Snapshot, Wanted
from exchange.sync.trades import trade_draft, trade_store
from exchange.sync.windows import AHEAD_NS, OVERLAP_NS

RETENTION_NS = 183 * NS_PER_DAY  # older records only through support (dossier 7)
PICTURE = 400  # new and changed orders and fills in one transaction, beside balances and cursors


@dataclass(frozen=True, slots=True)
class Counts:
    """What a pull brought, for the log and for `SyncRun`."""

    open_orders: int
    executed_orders: int
    trades: int


@dataclass(frozen=True, slots=True)
class Draft:
    """What a pull will write, found out before anything is locked."""

    orders: OrderDraft
    trades: Sequence[Trade]


def snapshot_draft(*, snapshot: Snapshot, now: datetime) -> Draft:
    """Compare what was read with what we know; a part that is not complete changes nothing."""
    told = [order for part in snapshot.open_orders.values() for order in part.rows or ()]
    told += [order for part in snapshot.histories.values() if part.rows for order in part.rows.rows]
    told += [order for order in snapshot.looked_up.values() if order is not None]
    trades = snapshot.trades.rows.rows if snapshot.trades.rows else []
    return Draft(order_draft(orders=told, now=now), trade_draft(trades=trades, now=now))


def one_picture(draft: Draft) -> AbstractContextManager[Any]:
    """One transaction for the whole pull, unless it is so large that pages would have to wait for it."""
    rows = draft.orders.size + len(draft.trades)
    return transaction.atomic() if rows <= PICTURE else nullcontext()


def catalogue_record(*, snapshot: Snapshot, now: datetime) -> None:
    """Store the catalogue when it was read; it is no part of the picture."""
    if snapshot.instruments and snapshot.instruments.rows:
        instrument_record_all(instruments=snapshot.instruments.rows, now=now)


def snapshot_record(*, snapshot: Snapshot, draft: Draft, wanted: Wanted, now: datetime) -> Counts:
    """Store what was read. The cursors move last: stopped anywhere before, the same is simply read again."""
    order_store(draft=draft.orders)
    order_missing_all(keys=[key for key, order in snapshot.looked_up.items() if order is None], now=now)
    trade_store(rows=draft.trades)
    read = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    for stream, part in snapshot.heard.items():
        _advance(stream, part, wanted.spans[stream], read.get(stream), now)
    listed = [order for part in snapshot.open_orders.values() for order in part.rows or ()]
    return Counts(_open_count(draft, listed), len(draft.orders.executed), len(draft.trades))


def _open_count(draft: Draft, listed: Sequence[schemas.Order]) -> int:
    """Each order once; a stale list may still name one that we know has ended."""
    rows = [draft.orders.rows[order.name_space, order.order_id] for order in listed]
    return sum(row.is_open and not row.is_mirror for row in rows)


def _advance(stream: Stream, part: Part[Heard[Any]], span: Span, read: int | None, now: datetime) -> None:
    """Move the cursor to now; what the window did not reach, or was too busy to give, becomes a range."""
    if part.rows is None:
        return
    earliest = span.end_ns - RETENTION_NS
    since, why = (earliest, "first run") if read is None else (max(read - OVERLAP_NS, earliest), "missed")
    left, until = part.rows.left_until_ns, span.end_ns - AHEAD_NS
    with transaction.atomic():
        range_open(stream=stream, start_ns=since, end_ns=span.start_ns, why=why, now=now)
        range_open(stream=stream, start_ns=span.start_ns, end_ns=left, why="busy", now=now)
        gap_record_all(stream=stream, gaps=part.rows.gaps, now=now)
        if not part.rows.rows and left <= span.start_ns:
            until = empty_read_until(read_until_ns=until, before_ns=read)
            passed = until - OVERLAP_NS
            if read is not None and passed > read:  # the next window begins behind what was asked for once
                range_open(stream=stream, start_ns=span.start_ns, end_ns=passed, why="empty", now=now)
        if stream is Stream.TRADES:
            until = trades_read_until(read_until_ns=until, before_ns=read, told_from_ns=left)
        cursor_advance(stream=stream, read_until_ns=until)
