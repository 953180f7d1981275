"""The cursors move past what was read and past nothing else."""

from datetime import UTC, datetime

import pytest

from exchange.core.times import NS_PER_DAY
from exchange.models import HistoryGap, HistoryRange, SyncCursor
from exchange.models.sync import Stream
from exchange.schemas import NameSpace
from exchange.sync.fetch import AccountSnapshot, FetchedStream, FetchPlan, FetchResult
from exchange.sync.pagination import Gap, TimeWindow
from exchange.sync.store import RETENTION_NS, catalogue_record, prepare_changes, snapshot_record
from exchange.sync.windows import CYCLE_OVERLAP_NS, LOOKAHEAD_NS
from tests.support import wire_order, wire_trade

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
END = 1_785_600_000_000_000_000
SPAN = TimeWindow(start_ns=END - NS_PER_DAY, end_ns=END)
FAILED: FetchResult = FetchResult(error="no")


def fetched(*rows, left=SPAN.start_ns, gaps=()):
    return FetchResult(FetchedStream(rows, gaps, left))


def record(*, trades=FAILED, orders=FAILED, advanced=FAILED, open_orders=FAILED, window=SPAN):
    snapshot = AccountSnapshot(
        open_orders={NameSpace.PLAIN: open_orders, NameSpace.ADVANCED: FAILED},
        histories={Stream.ORDERS: orders, Stream.ADVANCED: advanced},
        trades=trades,
        balance=FAILED,
        tickers=FAILED,
        instruments=None,
        looked_up={},
        errors=[],
    )
    fetch_plan = FetchPlan(windows=dict.fromkeys(Stream, window), open_keys=[])
    catalogue_record(snapshot=snapshot, now=NOW)
    changes = prepare_changes(snapshot=snapshot, now=NOW)
    return snapshot_record(snapshot=snapshot, changes=changes, fetch_plan=fetch_plan, now=NOW)


def cursors():
    return dict(SyncCursor.objects.values_list("stream", "read_until_ns"))


def ranges():
    return {(each.why, each.start_ns, each.end_ns) for each in HistoryRange.objects.all()}


def test_nothing_heard_moves_nothing():
    counts = record()
    assert (counts.open_orders, counts.executed_orders, counts.trades) == (0, 0, 0)
    assert cursors() == {}
    assert ranges() == set()


def test_only_what_was_heard_moves():
    record(trades=fetched())
    assert cursors() == {"TRADES": END - LOOKAHEAD_NS}


def test_the_first_time_half_a_year_is_left():
    record(trades=fetched())
    assert ranges() == {("first run", END - RETENTION_NS, SPAN.start_ns)}


def test_next_to_the_last_time_nothing_is_left():
    SyncCursor.objects.create(stream="TRADES", read_until_ns=SPAN.start_ns + CYCLE_OVERLAP_NS)
    record(trades=fetched(wire_trade()))
    assert ranges() == set()


def test_what_the_window_did_not_reach_is_left():
    read = SPAN.start_ns - 3 * NS_PER_DAY
    SyncCursor.objects.create(stream="TRADES", read_until_ns=read)
    record(trades=fetched(wire_trade()))
    assert ranges() == {("missed", read - CYCLE_OVERLAP_NS, SPAN.start_ns)}


def test_what_the_exchange_has_no_more_is_not_asked_for():
    SyncCursor.objects.create(stream="TRADES", read_until_ns=END - 400 * NS_PER_DAY)
    record(trades=fetched(wire_trade()))
    assert ranges() == {("missed", END - RETENTION_NS, SPAN.start_ns)}


def test_an_answer_without_rows_leaves_the_cursor_where_it_was():
    read = END - LOOKAHEAD_NS - CYCLE_OVERLAP_NS
    SyncCursor.objects.create(stream="TRADES", read_until_ns=read)
    record(trades=fetched(), window=TimeWindow(start_ns=read - CYCLE_OVERLAP_NS, end_ns=END))
    assert (cursors(), ranges()) == ({"TRADES": read}, set())


def test_after_a_long_gap_what_it_passes_is_asked_for_again():
    SyncCursor.objects.create(stream="TRADES", read_until_ns=SPAN.start_ns + CYCLE_OVERLAP_NS)
    record(trades=fetched())
    kept = END - LOOKAHEAD_NS - NS_PER_DAY // 12
    assert (cursors(), ranges()) == ({"TRADES": kept}, {("empty", SPAN.start_ns, kept - CYCLE_OVERLAP_NS)})


def test_what_was_too_busy_to_give_is_left():
    SyncCursor.objects.create(stream="TRADES", read_until_ns=SPAN.start_ns + CYCLE_OVERLAP_NS)
    record(trades=fetched(left=END - 500))
    assert ranges() == {("busy", SPAN.start_ns, END - 500)}
    assert cursors() == {"TRADES": END - LOOKAHEAD_NS}


def test_gaps_are_kept():
    record(trades=fetched(gaps=[Gap(5, 6, "", "too many")]))
    assert HistoryGap.objects.get().reason == "too many"


def test_counts_are_of_what_came():
    done = {"status": "FILLED", "cumulative_quantity": "2"}
    listed = [wire_order(order_id="1"), wire_order(order_id="2")]
    ended = fetched(wire_order(order_id="3", **done), wire_order(order_id="2", **done))
    counts = record(trades=fetched(wire_trade()), orders=ended, open_orders=FetchResult(listed))
    assert (counts.open_orders, counts.executed_orders, counts.trades) == (1, 2, 1)
