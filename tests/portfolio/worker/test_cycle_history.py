"""After any absence nothing is lost: what one cycle cannot read is noted and read between the cycles."""

from datetime import timedelta

import pytest

from exchange.core.times import NS_PER_DAY, NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, HistoryGap, HistoryRange, SyncCursor, SyncRun, Trade
from exchange.models.sync import Stream
from exchange.sync.backfill import history_slice
from exchange.sync.store import RETENTION_NS
from exchange.sync.windows import CYCLE_OVERLAP_NS, LOOKAHEAD_NS, rotate
from oco.models import OcoGroup
from tests.support import price_at_ratio

HOUR = 3600
DAY = 24 * HOUR


SECOND_NS = 10**9  # the exchange's clock is known to half a second at best


def now_ns(desk):
    return to_ms(desk.now) * NS_PER_MS


def near(ns):
    return pytest.approx(ns, abs=SECOND_NS, rel=0)


def read_all(desk, seconds=3600):
    """Slices until nothing is left."""
    for _ in range(2000):
        if history_slice(seconds=seconds):
            return
        desk.tick(1)
    raise AssertionError("the history never ends")


def open_ranges():
    return HistoryRange.objects.filter(done_at=None)


def trade_ids():
    return set(Trade.objects.values_list("trade_id", flat=True))


def true_trades(world):
    return {trade.trade_id for trade in world.exchange.trades.between(0, 2**63)}


def order_ids():
    return set(ExchangeOrder.objects.values_list("order_id", flat=True))


def true_orders(world):
    return {order.order_id for order in world.exchange.all_orders()}


def live(world, hours, *, every=7):
    """Buys and cancelled orders, one of each every few hours."""
    for _ in range(0, hours, every):
        world.buy("BTC_USD", "0.0001")
        world.cancel(world.buy("ETH_USD", "0.01", price_at_ratio(world, "ETH_USD")))
        world.tick(every * HOUR)


def test_the_first_cycle_reads_a_day_and_notes_half_a_year(desk, world):
    live(world, 72)
    run = desk.sync_ok()
    assert 0 < run.trades < len(true_trades(world))
    ranges = {range_.stream: range_ for range_ in open_ranges()}
    assert set(ranges) == set(Stream.values)
    for range_ in ranges.values():
        assert range_.why == "first run"
        assert range_.end_ns == near(now_ns(desk) + LOOKAHEAD_NS - NS_PER_DAY)
        assert range_.start_ns == near(now_ns(desk) + LOOKAHEAD_NS - RETENTION_NS)
    read_all(desk)
    assert trade_ids() == true_trades(world)
    assert order_ids() == true_orders(world)
    assert not HistoryGap.objects.exists()


@pytest.mark.parametrize("hours", [15, 25, 8 * 24, 40 * 24])
@pytest.mark.parametrize("window", ["update", "create"])
def test_after_an_absence_everything_is_read(desk, world, hours, window):
    world.set_behaviour(history_window=window)
    world.deposit("USD", 100_000)
    resting = world.buy("SOL_USD", "1", price_at_ratio(world, "SOL_USD"))
    desk.sync_ok()
    read_all(desk)
    live(world, hours, every=5)
    world.cancel(resting)
    desk.sync_ok()
    assert HistoryRange.objects.filter(why="missed").exists() is (hours > 24)
    assert set(open_ranges().values_list("why", flat=True)) <= {"empty"}
    read_all(desk)
    assert trade_ids() == true_trades(world)
    assert order_ids() == true_orders(world)
    assert not ExchangeOrder.objects.filter(is_open=True).exists()


def test_after_half_a_year_and_a_day_what_the_exchange_still_has_is_read(desk, world):
    desk.sync_ok()
    read_all(desk)
    world.buy("BTC_USD", "0.0001")
    world.tick(2 * DAY)
    live(world, 180 * 24, every=31)
    world.tick(2 * DAY)
    desk.sync_ok()
    for range_ in open_ranges().filter(why="missed"):
        assert range_.start_ns == near(now_ns(desk) + LOOKAHEAD_NS - RETENTION_NS)
    read_all(desk)
    kept = now_ns(desk) - RETENTION_NS
    young = {trade.trade_id for trade in world.exchange.trades.between(kept, 2**63)}
    assert trade_ids() == young
    assert len(young) == len(true_trades(world)) - 1


def test_the_ranges_join_what_was_read_before(desk):
    """Neither a nanosecond between them nor a range where the windows overlap."""
    desk.sync_ok()
    HistoryRange.objects.all().delete()
    before = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    desk.sync(3 * DAY)
    for range_ in open_ranges().filter(why="missed"):
        assert range_.start_ns == before[range_.stream] - CYCLE_OVERLAP_NS
        assert range_.end_ns == near(now_ns(desk) + LOOKAHEAD_NS - NS_PER_DAY)
    for range_ in open_ranges().filter(why="empty"):
        read = SyncCursor.objects.get(stream=range_.stream).read_until_ns
        assert range_.start_ns == near(now_ns(desk) + LOOKAHEAD_NS - NS_PER_DAY)
        assert range_.end_ns == read - CYCLE_OVERLAP_NS
    HistoryRange.objects.all().delete()
    for _ in range(3):
        desk.sync_ok()
    assert not HistoryRange.objects.exists()


def test_of_a_busy_day_the_rest_is_read_after_protection(desk, world):
    """More than a cycle's five pages: the rest becomes a range, which the same cycle reads last."""
    world.deposit("USD", 100_000)
    desk.sync_ok()
    read_all(desk)
    for _ in range(700):
        world.buy("BTC_USD", "0.0001")
        world.tick(0.05)
    run = desk.sync(60)
    assert run.errors == []
    assert run.requests <= 5 + 3 * 10
    assert 400 < run.trades < 700
    assert set(HistoryRange.objects.exclude(why="first run").values_list("why", flat=True)) == {"busy"}
    assert not open_ranges().exists()
    assert trade_ids() == true_trades(world)
    assert order_ids() == true_orders(world)


@pytest.mark.parametrize("ties", ["newest_first", "oldest_first"])
def test_a_hundred_and_fifty_fills_in_one_millisecond(desk, world, ties):
    """By nanoseconds they are all read."""
    world.set_behaviour(tie_order=ties)
    desk.sync_ok()
    world.deposit("USD", 1_000_000)
    order = world.buy("BTC_USD", "1", price_at_ratio(world, ratio="0.99"))
    for _ in range(150):
        world.fill(order, "0.0001")
    stamps = {trade.create_time_ns // NS_PER_MS for trade in world.exchange.trades.between(0, 2**63)}
    run = desk.sync_ok()
    assert len(stamps) == 1
    assert run.trades == 150
    assert trade_ids() == true_trades(world)
    assert not HistoryGap.objects.exists()


@pytest.mark.parametrize("count", [99, 100, 101])
def test_a_page_that_is_just_full(desk, world, count):
    desk.sync_ok()
    world.deposit("USD", 100_000)
    for _ in range(count):
        world.buy("BTC_USD", "0.0001")
        world.tick(0.01)
    run = desk.sync_ok()
    assert (run.trades, run.executed_orders) == (count, count)
    assert not open_ranges().exclude(why="first run").exists()


def test_a_hundred_and_twenty_cancels_in_one_millisecond(desk, world):
    """The history cannot tell them all; orders that we knew are looked up, and the doubt is told."""
    world.deposit("USD", 100_000)
    orders = [world.buy("BTC_USD", "0.001", price_at_ratio(world)) for _ in range(120)]
    desk.sync_ok()
    for order in orders:
        world.cancel(order)
    run = desk.sync_ok()
    assert run.errors == []
    assert not ExchangeOrder.objects.filter(is_open=True).exists()
    read_all(desk)
    assert "BTC_USD" in HistoryGap.objects.exclude(instrument_name="").get().reason


def test_a_hundred_and_twenty_cancels_of_many_coins_are_read_coin_by_coin(desk, world):
    world.deposit("USD", 100_000)
    names = ["BTC_USD", "ETH_USD"]
    orders = [world.buy(names[n % 2], "0.01", price_at_ratio(world, names[n % 2])) for n in range(120)]
    for order in orders:
        world.cancel(order)
    desk.sync_ok()
    read_all(desk)
    assert order_ids() == true_orders(world)
    assert all("one by one" in gap.reason for gap in HistoryGap.objects.all())


def test_a_clock_that_ran_ahead_does_not_hide_the_minutes_since(desk, world):
    """A cursor in the future would open a window that ends before it begins."""
    desk.sync_ok()
    SyncCursor.objects.update(read_until_ns=now_ns(desk) + 3 * NS_PER_DAY)
    world.buy("BTC_USD", "0.0001")
    assert desk.sync_ok().trades == 1
    assert all(
        until == near(now_ns(desk)) for until in SyncCursor.objects.values_list("read_until_ns", flat=True)
    )


def test_a_slice_ends_in_time_and_the_next_one_goes_on(desk, world):
    live(world, 20 * 24, every=5)
    desk.sync_ok()
    desk.options["limiter"] = None
    left = []
    while history_slice(seconds=2) is False:
        left.append(sum(range_.next_ns - range_.start_ns for range_ in open_ranges()))
        assert len(left) < 400
        desk.tick(1)
    assert left == sorted(left, reverse=True)
    assert len(left) > 3
    assert trade_ids() == true_trades(world)


def test_turns_go_round():
    keys = [("PLAIN", str(n)) for n in range(100)]
    assert rotate([], minute=7) == []
    assert sorted(rotate(keys, minute=7)) == sorted(keys)
    seen = {key for minute in range(3) for key in rotate(keys, minute=minute)[:40]}
    assert seen == set(keys)


@pytest.mark.parametrize("hours", [25, 30, 8 * 24, 40 * 24])
def test_what_was_bought_before_a_gap_is_protected_by_the_cycle_that_ends_it(desk, world, settings, hours):
    """By this cycle alone: nobody reads history between the cycles here."""
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    world.tick(600)
    world.buy("BTC_USD", "0.0995")
    run = desk.sync(hours * HOUR)
    assert run.errors == []
    assert list(OcoGroup.objects.values_list("state", flat=True)) == ["ACTIVE"]


def test_while_executions_of_a_gap_are_unread_every_cycle_says_so(desk, world, settings, monkeypatch):
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    world.tick(600)
    world.buy("BTC_USD", "0.0995")
    world.tick(30 * HOUR)
    with monkeypatch.context() as patch:
        patch.setattr("exchange.sync.backfill.GAP_TIMEOUT", timedelta(0))
        for _ in range(2):
            run = desk.sync()
            assert run.status == SyncRun.Status.PARTIAL
            assert run.errors[0].startswith("Executions between 2026-")
            assert not OcoGroup.objects.exists()
    desk.sync_ok()
    assert OcoGroup.objects.get().state == "ACTIVE"


def test_a_gap_that_cannot_be_read_stops_no_new_purchase(desk, world, settings):
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    world.tick(600)
    world.buy("ETH_USD", "1")
    world.tick(30 * HOUR)
    world.buy("BTC_USD", "0.01")
    world.faults.add("refuse", "private/get-trades", code=40003, nth=2)
    run = desk.sync()
    assert [group.instrument_name for group in OcoGroup.objects.filter(state="ACTIVE")] == ["BTC_USD"]
    assert any(error.startswith("History: ") for error in run.errors)
    world.faults.clear()
    desk.sync_ok()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 2
