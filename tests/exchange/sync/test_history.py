"""What has been read of the histories, what is left, and what cannot be had."""

from datetime import UTC, datetime

import pytest

from exchange.models import HistoryGap, HistoryRange, SyncCursor
from exchange.sync.pagination import Gap
from exchange.sync.store import cursor_advance, gap_record_all, range_open, range_progress

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def opened(start=100, end=900):
    return range_open(stream="TRADES", start_ns=start, end_ns=end, why="missed", now=NOW)


def test_there_is_one_cursor_for_each_stream():
    for until in (5, 7):
        cursor_advance(stream="TRADES", read_until_ns=until)
    cursor_advance(stream="ORDERS", read_until_ns=6)
    assert dict(SyncCursor.objects.values_list("stream", "read_until_ns")) == {"TRADES": 7, "ORDERS": 6}


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
def test_nothing_is_left_to_read_of_an_empty_stretch(start, end):
    assert opened(start, end) is None
    assert not HistoryRange.objects.exists()


def test_a_range_is_read_from_its_end_to_its_start():
    range_ = opened()
    assert (range_.next_ns, range_.done_at) == (900, None)
    range_progress(range_=range_, left_until_ns=500, rows=7, now=NOW)
    range_.refresh_from_db()
    assert (range_.next_ns, range_.rows, range_.done_at) == (500, 7, None)
    range_progress(range_=range_, left_until_ns=100, rows=3, now=NOW)
    range_.refresh_from_db()
    assert (range_.next_ns, range_.rows, range_.done_at) == (100, 10, NOW)


def test_a_gap_is_told_once_and_stays():
    gap = Gap(5, 6, "BTC_USD", "too many")
    for _ in range(2):
        gap_record_all(stream="TRADES", gaps=[gap], now=NOW)
    gap_record_all(stream="ORDERS", gaps=[gap], now=NOW)
    assert HistoryGap.objects.count() == 2
