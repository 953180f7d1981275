"""Protection has what it needs after the open lists, trades and balance: nothing else stops it, or makes it wait."""

from fnmatch import fnmatch

import pytest

from exchange.core.times import to_ms
from exchange.models import AuditEntry, ExchangeOrder, Instrument, SyncRun
from oco.models import OcoGroup, OcoLeg
from tests.oco.support import ours
from tests.support import price_at_ratio

CREATE = "private/advanced/create-oco"
PLAIN_HISTORY, ADVANCED_HISTORY = "private/get-order-history", "private/advanced/get-order-history"
NEEDED = (
    "private/get-open-orders",
    "private/advanced/get-open-orders",
    "private/get-trades",
    "private/user-balance",
)
AFTER = {
    "both histories": ("private/*get-order-history", "private/get-order-history"),
    "tickers": ("public/get-tickers",),
    "mark prices": ("public/get-valuations",),
    "catalogue and account": ("public/get-instruments", "private/get-accounts"),
    "candles": ("public/get-candlestick",),
}
TROUBLES = {
    "500": ("http", {"status": 500, "body": "html"}),
    "no answer": ("drop_before", {}),
    "garbage": ("garbage", {}),
    "40801": ("refuse", {"code": 40801}),
    "50001": ("refuse", {"code": 50001}),
    "10001": ("refuse", {"code": 10001}),
    "40101": ("refuse", {"code": 40101}),
    "42901": ("refuse", {"code": 42901}),
    "maintenance": ("maintenance", {}),
}


@pytest.fixture
def desk(desk, settings):
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    return desk


def states():
    return list(OcoGroup.objects.values_list("state", flat=True))


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("part", AFTER)
def test_a_purchase_is_protected_whatever_else_cannot_be_read(desk, world, part, trouble):
    kind, detail = TROUBLES[trouble]
    world.tick(25 * 3600)
    desk.sync_ok()
    world.tick(23 * 3600 + 3500)  # the catalogue and the account are due
    for method in AFTER[part]:
        world.faults.add(kind, method, **detail)
    world.buy("BTC_USD", "0.0995")
    run = desk.sync(300)
    assert states() == ["ACTIVE"]
    assert run.status == (SyncRun.Status.OK if part == "candles" else SyncRun.Status.PARTIAL)


@pytest.mark.parametrize("method", ["*get-order-history", "public/get-valuations", "private/get-accounts"])
def test_what_hangs_does_not_keep_the_orders_waiting(desk, world, method):
    world.tick(25 * 3600)
    world.buy("BTC_USD", "0.0995")
    world.faults.add("delay", method, seconds=15)
    started = desk.now
    desk.sync(60)
    assert waited(desk, started) <= 16  # one answer
    assert states() == ["ACTIVE"]


def waited(desk, started):
    """Seconds from the beginning of the cycle to the newest order of ours."""
    sent = AuditEntry.objects.filter(what=AuditEntry.Action.PAIR_PLACE).latest("at").at
    return (to_ms(sent) - to_ms(started)) / 1000 - 60


@pytest.fixture
def vanished(desk, world):
    """Orders of the user in both name spaces, and a pair of ours, that were open and are in no list any more."""
    world.deposit("ETH", 10)
    plain = [world.sell("ETH_USD", "1", price_at_ratio(world, "ETH_USD", "1.5")) for _ in range(3)]
    trigger = price_at_ratio(world, "ETH_USD", "0.5")
    stops = [advanced_stop(world, trigger) for _ in range(3)]
    world.buy("ETH_USD", "0.5")
    desk.sync_ok()
    for order in (*plain, *stops, ours(world)[0]):  # one leg of a pair takes the other with it
        world.cancel(order)
    return [*plain, *stops]


def advanced_stop(world, trigger):
    params = {"instrument_name": "ETH_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": "1"}
    answer = world.send_manually("private/advanced/create-order", **params, ref_price=str(trigger))
    return world.order(answer["order_id"])


DETAILS = {
    "plain": ("private/get-order-detail", 4.5),
    "advanced": ("private/advanced/get-order-detail", 4.5),
    "lists": ("private/advanced/get-order-list-detail", 4.5),
    "all": ("private/*detail", 9),
}


@pytest.mark.parametrize("what", DETAILS)
def test_orders_that_cannot_be_looked_up_do_not_keep_another_purchase_waiting(desk, world, vanished, what):
    """Each of these methods is asked once, and waited for at most four seconds."""
    method, most = DETAILS[what]
    world.faults.add("delay", method, seconds=4.5)
    world.buy("BTC_USD", "0.0995")
    started = desk.now
    run = desk.sync()
    assert waited(desk, started) <= most
    assert OcoGroup.objects.get(instrument_name="BTC_USD").state == "ACTIVE"
    detail = [name for name in desk.requested if name.endswith("detail") and fnmatch(name, method)]
    assert len(detail) == len(set(detail))
    told = [error for error in run.errors if "Order" in error or "order" in error]
    assert (run.status, bool(told)) == ((SyncRun.Status.OK, False) if what == "lists" else ("PARTIAL", True))


@pytest.mark.parametrize("what", DETAILS)
def test_what_was_not_looked_up_proves_nothing_and_is_looked_up_next_time(desk, world, vanished, what):
    world.faults.add("delay", DETAILS[what][0], seconds=4.5)
    world.faults.add("refuse", "*get-order-history", code=50001)
    desk.sync()
    rows = ExchangeOrder.objects.filter(order_id__in=[order.order_id for order in vanished])
    if what == "all":
        assert rows.filter(is_open=True).count() == len(vanished)
        assert states() == ["UNKNOWN"]
    assert not any("cancel" in name for name in desk.requested)
    world.faults.clear()
    for _ in range(3):
        desk.sync()
    assert not rows.filter(is_open=True).exists()
    assert states() == ["RELEASED"] or "ACTIVE" in states()


def test_an_order_of_unknown_outcome_does_not_keep_another_purchase_waiting(desk, world):
    world.buy("ETH_USD", "0.5")
    world.faults.add("process_then_drop", CREATE, times=1)
    world.faults.add("hide_order", CREATE, times=1, seconds=3600)
    desk.sync()
    assert states() == ["UNKNOWN"]
    looks = list(OcoLeg.objects.values_list("looks", "status"))
    world.faults.add("delay", "private/*detail", seconds=4.5)
    world.buy("BTC_USD", "0.0995")
    started = desk.now
    run = desk.sync()
    assert waited(desk, started) <= 9
    assert sorted(states()) == ["ACTIVE", "UNKNOWN"]
    assert any(error.startswith("Looking for an order of ours: ") for error in run.errors)
    legs = OcoLeg.objects.filter(group__instrument_name="ETH_USD")
    assert list(legs.values_list("looks", "status")) == looks
    world.faults.clear()
    world.tick(3600)
    desk.sync()
    assert set(states()) == {"ACTIVE"}


def test_a_slow_look_up_uses_up_the_time_of_all(desk, world, vanished):
    world.faults.add("delay", "private/*detail", seconds=3)
    world.buy("BTC_USD", "0.0995")
    started = desk.now
    desk.sync()
    assert waited(desk, started) <= 9
    assert sum(name.endswith("detail") for name in desk.requested[: desk.requested.index(CREATE)]) <= 3


@pytest.mark.parametrize(("coin", "seconds", "most"), [("held", 10.5, 0), ("bought", 4.5, 4.5)])
def test_a_catalogue_that_hangs_does_not_keep_another_purchase_waiting(desk, world, coin, seconds, most):
    """For a coin that is held it is read after protection, for a purchase of it before."""
    Instrument.objects.filter(base_ccy="SOL").delete()
    if coin == "held":
        world.deposit("SOL", 5)
    else:
        world.buy("SOL_USD", 5)
    world.buy("BTC_USD", "0.0995")
    world.faults.add("delay", "public/get-instruments", seconds=seconds)
    started = desk.now
    run = desk.sync()
    assert waited(desk, started) <= most
    assert desk.requested.count("public/get-instruments") == 1
    assert any(error.startswith("Instruments: ") for error in run.errors)
    world.faults.clear()
    desk.sync_ok()
    assert set(states()) == {"ACTIVE"}
    assert Instrument.objects.filter(symbol="SOL_USD").exists()


def test_histories_that_hang_are_waited_for_once(desk, world):
    """More orders are missing than can be looked up."""
    world.deposit("BTC", 1)
    orders = [world.sell("BTC_USD", "0.01", price_at_ratio(world, ratio="1.5")) for _ in range(60)]
    desk.sync_ok()
    for order in orders:
        world.cancel(order)
    world.faults.add("delay", "*get-order-history", seconds=7.5)
    world.buy("ETH_USD", "1")
    started = desk.now
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert waited(desk, started) <= 7.5
    world.faults.clear()
    desk.sync()
    assert not ExchangeOrder.objects.filter(is_open=True, origin="FOREIGN").exists()


@pytest.mark.parametrize("method", NEEDED)
def test_what_is_needed_is_needed(desk, world, method):
    world.faults.add("http", method, status=500)
    world.buy("BTC_USD", "0.0995")
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert CREATE not in desk.requested
    world.faults.clear()
    desk.sync()
    assert states() == ["ACTIVE"]


def test_the_order_of_the_reads(desk, world):
    """Lists, trades, balance; then protection; then the rest."""
    world.buy("BTC_USD", "0.0995")
    desk.sync_ok()
    assert desk.requested[:4] == list(NEEDED)
    assert desk.requested.index(CREATE) < desk.requested.index(PLAIN_HISTORY)


def test_without_mark_prices_the_last_trade_is_the_price_and_that_is_told(desk, world):
    world.faults.add("http", "public/get-valuations", status=500)
    world.buy("BTC_USD", "0.0995")
    run = desk.sync()
    assert states() == ["ACTIVE"]
    assert run.errors[0].startswith("Mark price of BTC_USD: ")


def test_without_any_of_both_the_order_book_is_asked(desk, world):
    for method in ("public/get-valuations", "public/get-tickers"):
        world.faults.add("http", method, status=500)
    world.buy("BTC_USD", "0.0995")
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert "public/get-book" in desk.requested
    assert states() == ["ACTIVE"]


def test_without_any_price_it_waits_and_the_cycle_is_not_complete(desk, world):
    world.faults.add("http", "public/*", status=500)
    world.buy("BTC_USD", "0.0995")
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert states() == ["PENDING"]
    world.faults.clear()
    desk.sync()
    assert states() == ["ACTIVE"]


def test_no_market_sale_without_the_published_mark(desk, world):
    """The price fell below the stop while nobody looked: a stop may rely on another source, a sale may not."""
    world.buy("BTC_USD", "0.0995")
    world.move("BTC_USD", -20)
    world.faults.add("http", "public/get-valuations", status=500)
    desk.sync()
    assert "private/create-order" not in desk.requested
    assert states() == ["PENDING"]


def test_the_end_of_an_order_is_known_before_protection_acts(desk, world):
    """A sale of the user held these coins; without its end they would still seem to be his."""
    world.deposit("BTC", "0.1")
    resting = world.sell("BTC_USD", "0.1", price_at_ratio(world, ratio="1.5"))
    desk.sync_ok()
    world.fill(resting)
    world.buy("BTC_USD", "0.1")
    world.faults.add("http", "*get-order-history", status=500)
    desk.sync()
    assert not ExchangeOrder.objects.get(order_id=resting.order_id).is_open
    assert states() == ["ACTIVE"]


def test_of_more_ended_orders_than_can_be_looked_up_the_histories_tell_first(desk, world):
    """Sixty sales of the user ended; of each the coins would still seem to be his."""
    world.deposit("BTC", 1)
    orders = [world.sell("BTC_USD", "0.01", price_at_ratio(world, ratio="1.5")) for _ in range(60)]
    desk.sync_ok()
    for order in orders:
        world.fill(order)
    world.buy("BTC_USD", "0.1")
    desk.sync_ok()
    assert desk.requested.count(PLAIN_HISTORY) == 1
    assert "private/get-order-detail" not in desk.requested
    assert desk.requested.index(PLAIN_HISTORY) < desk.requested.index(CREATE)
    assert not ExchangeOrder.objects.filter(is_open=True, origin="FOREIGN").exists()


def test_another_account_behind_the_same_key_ends_the_cycle_and_the_next_begins_with_the_question(
    desk, world
):
    world.exchange.account_uuid = "00000000-aaaa-4000-8000-000000000000"
    for _ in range(2):
        run = desk.sync(25 * 3600)
        assert run.status == SyncRun.Status.FAILED
        assert "belongs to account 00000000-aaaa" in run.errors[0]
    assert desk.requested == ["private/get-accounts"]


def test_a_key_that_may_not_read_one_part_still_reads_the_others(desk, world):
    world.faults.add("refuse", "private/user-balance", code=40101)
    world.buy("BTC_USD", "0.0995")
    run = desk.sync()
    assert (run.status, run.trades) == (SyncRun.Status.PARTIAL, 1)
    assert "[40101]" in run.errors[0]
