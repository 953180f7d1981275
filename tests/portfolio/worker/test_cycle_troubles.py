"""A part that fails changes nothing and is told in words; what was heard besides counts."""

import logging

import pytest
from django.db import DatabaseError

from exchange.models import ExchangeOrder, Lease, SyncCursor, SyncRun, Trade
from exchange.models.sync import Stream
from exchange.services.lease import lease_take
from exchange.sync.trades import trade_store
from portfolio.models import Balance
from portfolio.worker.runner import sync_run
from tests.support import price_at_ratio, stored_order, table_rows

EVERYTHING = (ExchangeOrder, Trade, Balance, SyncCursor)
PARTS = {
    "private/get-open-orders": "Open orders (plain)",
    "private/advanced/get-open-orders": "Open orders (advanced)",
    "private/get-order-history": "Order history (orders)",
    "private/advanced/get-order-history": "Order history (advanced orders)",
    "private/get-trades": "Trades",
    "private/user-balance": "Balances",
    "public/get-tickers": "Tickers",
}
FAILURES = {
    "lost": ("drop_before", {}),
    "html": ("http", {"status": 502, "body": "html"}),
    "garbage": ("garbage", {}),
    "cut": ("truncate", {}),
    "busy": ("refuse", {"code": 42901}),
    "internal": ("refuse", {"code": 50001}),
    "maintenance": ("maintenance", {}),
    "refused": ("refuse", {"code": 40003}),
}


@pytest.fixture
def lived(desk, world):
    """An account on which something happened since the last cycle."""
    world.deposit("BTC", 1)
    resting = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    world.fill(resting)
    world.buy("BTC_USD", "0.02")
    world.buy("ETH_USD", "1", price_at_ratio(world, "ETH_USD"))
    return desk


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("method", PARTS)
def test_one_part_fails_and_the_rest_counts(lived, world, method, failure):
    kind, detail = FAILURES[failure]
    world.faults.add(kind, method, **detail)
    run = lived.sync()
    assert run.status == SyncRun.Status.PARTIAL
    assert run.errors[0].startswith(f"{PARTS[method]}: ")
    assert len(run.errors) == 1
    world.faults.clear()
    run = lived.sync_ok()
    assert run.status == SyncRun.Status.OK
    assert (ExchangeOrder.objects.count(), Trade.objects.count()) == (3, 2)
    assert ExchangeOrder.objects.filter(is_open=True).count() == 1


def test_a_failed_open_list_closes_nothing(desk, world):
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    world.faults.add("garbage", "*get-open-orders")
    world.cancel(order)
    world.faults.add("garbage", "private/get-order-history")
    run = desk.sync()
    assert "private/get-order-detail" not in desk.requested
    assert (stored_order(order).is_open, stored_order(order).missing_since) == (True, None)
    assert len(run.errors) == 3


def test_a_failed_history_does_not_move_its_cursor(lived, world):
    before = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    world.faults.add("garbage", "private/get-trades")
    lived.sync()
    after = dict(SyncCursor.objects.values_list("stream", "read_until_ns"))
    assert after[Stream.TRADES] == before[Stream.TRADES]
    assert after[Stream.ORDERS] > before[Stream.ORDERS]


def test_without_tickers_a_free_balance_keeps_the_value_of_the_exchange(desk, world):
    world.deposit("BTC", 1)
    world.deposit("CRO", 100)
    desk.sync_ok()
    known = Balance.objects.get(currency="BTC").market_value_usd
    world.sell("CRO_USD", 50, price_at_ratio(world, "CRO_USD", "1.5"))
    world.faults.add("garbage", "public/get-tickers")
    desk.sync()
    assert Balance.objects.get(currency="BTC").market_value_usd == known
    cro = Balance.objects.get(currency="CRO")
    assert (cro.quantity, cro.price_usd, cro.market_value_usd) == (100, None, None)


@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "refused"])
def test_everything_fails_and_one_sentence_says_why(lived, world, failure):
    before = table_rows(*EVERYTHING)
    kind, detail = FAILURES[failure]
    world.faults.add(kind, **detail)
    run = lived.sync()
    assert (run.status, len(run.errors)) == (SyncRun.Status.FAILED, 1)
    assert table_rows(*EVERYTHING) == before
    world.faults.clear()
    assert lived.sync_ok().trades == 2


def test_a_dead_exchange_is_not_asked_for_every_part(lived, world):
    """Two parts without any answer are enough: at most six requests, and the lease is free again."""
    world.faults.add("drop_before")
    assert lived.sync().requests == 6
    assert lease_take(purpose="next") is not None


def test_a_slow_exchange_does_not_hold_the_lease_for_ever(lived, world):
    world.faults.add("delay", seconds=9)
    run = lived.sync()
    assert run.status == SyncRun.Status.PARTIAL
    assert run.duration_ms < 60_000
    assert "too slow" in run.errors[-1]


@pytest.mark.parametrize("code", [40101, 40103, 40104])
def test_a_refused_key_ends_the_cycle_with_a_remedy(lived, world, code):
    before = table_rows(*EVERYTHING)
    world.faults.add("refuse", "private/*", code=code)
    run = lived.sync()
    assert (run.status, run.requests) == (SyncRun.Status.FAILED, 2)
    assert f"[{code}]" in run.errors[0]
    assert "key" in run.errors[0]
    assert table_rows(*EVERYTHING) == before


def test_a_clock_a_minute_off_is_named(lived, world):
    world.control("clock", skew_ms=61_000)
    run = lived.sync()
    assert run.status == SyncRun.Status.FAILED
    assert "[40102]" in run.errors[0]
    assert "behind" in run.errors[0]
    assert "NTP" in run.errors[0]


@pytest.mark.parametrize("skew_ms", [-55_000, 55_000])
def test_a_clock_within_the_minute_loses_nothing(desk, world, skew_ms):
    world.control("clock", skew_ms=skew_ms)
    for count in range(1, 5):
        world.buy("BTC_USD", "0.01")
        desk.sync(40)
        assert Trade.objects.count() == count


def test_another_account_is_refused_and_nothing_is_read(lived, world, settings):
    world.exchange.account_uuid = "00000000-aaaa-4000-8000-000000000000"
    before = table_rows(*EVERYTHING)
    settings.CRYPTO_COM_API_KEY = "one of another account"
    run = lived.sync()
    assert run.status == SyncRun.Status.FAILED
    assert "belongs to account 00000000-aaaa" in run.errors[0]
    assert lived.requested == ["private/get-accounts"]
    assert table_rows(*EVERYTHING) == before


def test_another_environment_is_refused_without_a_request(lived, settings):
    settings.ENVIRONMENT = "LIVE"
    run = lived.sync()
    assert (run.status, run.requests) == (SyncRun.Status.FAILED, 0)
    assert "in DRY_RUN, but this program now runs in LIVE" in run.errors[0]


def test_an_empty_balance_is_not_believed_while_money_is_counted(desk, world, monkeypatch):
    world.deposit("BTC", 1)
    desk.sync_ok()
    before = table_rows(Balance)
    empty = {"position_balances": [], "total_cash_balance": "10000"}
    monkeypatch.setattr("exchange.simulator.serializers.balance_row", lambda x: empty)
    run = desk.sync()
    assert (run.status, run.balances) == (SyncRun.Status.PARTIAL, 0)
    assert "BTC, USD were held. Ignored." in run.errors[0]
    assert table_rows(Balance) == before


def test_a_coin_that_is_gone_is_known_to_be_none(desk, world):
    world.deposit("BTC", 1)
    desk.sync_ok()
    world.withdraw("BTC", 1)
    desk.sync_ok()
    btc = Balance.objects.get(currency="BTC")
    assert (btc.quantity, btc.available, btc.market_value_usd) == (0, 0, 0)


def test_a_price_that_nobody_knows_is_never_zero(desk, world):
    world.deposit("BTC", 1)
    world.sell("BTC_USD", "0.5", price_at_ratio(world, ratio="1.5"))
    world.faults.add("garbage", "public/get-tickers")
    desk.sync()
    btc = Balance.objects.get(currency="BTC")
    assert (btc.quantity, btc.price_usd, btc.market_value_usd) == (1, None, None)


def test_an_unexpected_error_is_told_by_kind_and_logged_in_full(lived, monkeypatch, caplog):
    before = table_rows(*EVERYTHING)

    def broken(**_):
        raise DatabaseError("disk full")

    monkeypatch.setattr("exchange.sync.store.trade_store", broken)
    with caplog.at_level(logging.ERROR, logger="exchange_sync"):
        run = lived.sync()
    assert run.status == SyncRun.Status.FAILED
    assert run.errors == ["An unexpected error ended the cycle: DatabaseError. The log has the details."]
    assert "disk full" in caplog.text
    assert table_rows(*EVERYTHING) == before
    monkeypatch.setattr("exchange.sync.store.trade_store", trade_store)
    assert lived.sync_ok().trades == 2


class Killed(BaseException):
    """The process ends here."""


STEPS = [
    "exchange.sync.store.order_store",
    "exchange.sync.store.order_missing_all",
    "exchange.sync.store.trade_store",
    "exchange.sync.store.range_open",
    "exchange.sync.store.cursor_advance",
    "portfolio.worker.cycle.balance_record_all",
    "portfolio.worker.runner.run_finish",
]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_between_any_two_writes_the_next_cycle_repairs_it(lived, monkeypatch, step, when, large):
    """Also where the pull is too large for one transaction."""
    if large:
        monkeypatch.setattr("exchange.sync.store.MAX_TRANSACTION_ROWS", 0)
    module, name = step.rsplit(".", 1)
    real = getattr(__import__(module, fromlist=[name]), name)

    def killed(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(step, killed)
        lived.world.tick(60)
        with pytest.raises(Killed):
            sync_run(trigger="test")
    assert lived.sync_ok().status == SyncRun.Status.OK
    assert (ExchangeOrder.objects.count(), Trade.objects.count()) == (3, 2)
    assert ExchangeOrder.objects.filter(is_open=True).count() == 1
    assert Balance.objects.count() == 2
    assert not SyncRun.objects.filter(status=SyncRun.Status.RUNNING).exists()


def test_a_cycle_whose_lease_went_to_another_writes_nothing(lived, monkeypatch):
    """Suspended for two minutes in the middle of a read, it wakes up and finds another holder."""
    before = table_rows(*EVERYTHING)
    real = lived.world.app.handle_api_call

    def slow(request):
        if request.method == "public/get-tickers":
            Lease.objects.update(token=99, holder="another")
        return real(request)

    monkeypatch.setattr(lived.world.app, "handle_api_call", slow)
    run = lived.sync()
    assert run.status == SyncRun.Status.FAILED
    assert "went to another holder" in run.errors[0]
    assert table_rows(*EVERYTHING) == before
    assert Lease.objects.get().holder == "another"


def lose_the_lease(lived, monkeypatch, *, seconds):
    """During the second read of the next cycle, which takes so long."""
    real = lived.world.app.handle_api_call

    def slow(request):
        if request.method == "private/advanced/get-open-orders":
            Lease.objects.update(token=99, holder="another")
            lived.world.clock_ms += round(seconds * 1000)
        return real(request)

    monkeypatch.setattr(lived.world.app, "handle_api_call", slow)


def test_a_second_after_the_last_look_the_lease_is_looked_at_before_a_read(lived, monkeypatch):
    """No third one is sent."""
    lose_the_lease(lived, monkeypatch, seconds=1.1)
    assert lived.sync().requests == 2


def test_what_was_read_after_the_lease_was_lost_is_not_stored(lived, monkeypatch):
    lived.world.buy("BTC_USD", "0.01")
    before = table_rows(ExchangeOrder, Trade)
    lose_the_lease(lived, monkeypatch, seconds=0)
    assert lived.sync().status == SyncRun.Status.FAILED
    assert table_rows(ExchangeOrder, Trade) == before


def test_a_second_cycle_at_the_same_time_does_nothing(desk):
    lease = lease_take(purpose="cycle")
    assert sync_run(trigger="test") is None
    assert not SyncRun.objects.exists()
    assert desk.requested == []
    lease.release()
    assert desk.sync_ok().status == SyncRun.Status.OK
