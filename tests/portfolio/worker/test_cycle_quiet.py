"""The ordinary minute: few requests, few queries, hardly a write, and the log lines that people wait for."""

import logging

import pytest

from exchange.models import ExchangeOrder, Trade
from portfolio.models import Balance
from tests.exchange.simulator.world import World
from tests.support import queries, table_rows, write_statements

QUIET_REQUESTS = [
    "private/get-open-orders",
    "private/advanced/get-open-orders",
    "private/get-trades",
    "private/user-balance",
    "public/get-tickers",
    "private/get-order-history",
    "private/advanced/get-order-history",
]
MOST_QUERIES = 60
QUIET_WRITES = (
    12  # 4 on the lease, 3 cursors, 2 on the run, 1 each for balances, value, runs that were killed
)


def resting(world, count):
    """`count` limit buys far below the market, none above 100 of a pair."""
    names = ["BTC_USD", "ETH_USD", "SOL_USD", "XRP_USD"]
    for n in range(count):
        name = names[n % len(names)]
        price = world.prices.last(name, world.clock_ms) / 2
        tick = world.exchange.instruments[name].price_tick
        lot = world.exchange.instruments[name].lot
        price = price // tick * tick
        world.buy(name, max(lot, (2 / price) // lot * lot + lot), price)


@pytest.mark.parametrize("count", [0, 12])
def test_a_quiet_cycle_asks_seven_things(desk, world, count):
    resting(world, count)
    desk.sync_ok()
    run = desk.sync_ok()
    assert desk.requested == QUIET_REQUESTS
    assert (run.requests, run.open_orders, run.status) == (7, count, "OK")


def test_the_first_cycle_also_asks_whose_account_it_is_and_what_can_be_traded(desk):
    run = desk.sync_ok()
    reads = [*QUIET_REQUESTS[:5], "public/get-instruments", *QUIET_REQUESTS[5:]]
    assert desk.requested == ["private/get-accounts", *reads]
    assert run.requests == 9


def test_account_and_catalogue_are_asked_again_after_a_day(desk):
    desk.sync_ok()
    run = desk.sync(23 * 3600)
    assert (run.requests, run.errors) == (7, [])
    run = desk.sync(3700)
    assert (run.requests, run.errors) == (9, [])
    assert desk.requested[-1] == "private/get-accounts"


def test_queries_and_writes_do_not_grow_with_open_orders(desk, world):
    counts = []
    for more in (10, 290):
        resting(world, more)
        desk.sync_ok()
        with queries() as statements:
            desk.sync_ok()
        counts.append((len(statements), len(write_statements(statements))))
    assert ExchangeOrder.objects.filter(is_open=True).count() == 300
    few, many = counts
    assert few == many
    assert few[0] <= MOST_QUERIES
    assert few[1] == QUIET_WRITES


def test_a_quiet_cycle_rewrites_no_order_and_no_trade(desk, world):
    world.buy("BTC_USD", "0.01")
    resting(world, 5)
    desk.sync_ok()
    before = table_rows(ExchangeOrder, Trade)
    with queries() as statements:
        desk.sync_ok()
    assert table_rows(ExchangeOrder, Trade) == before
    tables = {sql.replace('"', "").split()[1 + (sql[0] == "I")] for sql in write_statements(statements)}
    assert tables == {
        "exchange_lease",
        "sync_runs",
        "exchange_synccursor",
        "exchange_quotes",
        "portfolio_balances",
        "portfolio_snapshots",
    }


def test_the_log_lines_are_those_of_the_seed(desk, world, caplog):
    for currency in ("BTC", "ETH", "SOL", "XRP", "CRO", "DOGE"):
        world.deposit(currency, 1)
    resting(world, 12)
    for _ in range(3):
        world.buy("BTC_USD", "0.01")
    with caplog.at_level(logging.INFO, logger="exchange_sync"):
        run = desk.sync_ok()
    lines = [(record.levelname, record.name, record.getMessage()) for record in caplog.records]
    assert lines == [
        ("INFO", "exchange_sync", "Exchange sync: starting exchange sync cycle..."),
        ("INFO", "exchange_sync", "Exchange sync: synced 7 balances"),
        ("INFO", "exchange_sync", "Exchange sync: synced 12 open orders"),
        ("INFO", "exchange_sync", "Exchange sync: synced 3 executed orders"),
        (
            "INFO",
            "exchange_sync",
            f"Exchange sync: exchange sync cycle completed in {run.duration_ms} ms",
        ),
    ]


def test_balances_are_what_the_account_holds(desk, world):
    world.deposit("BTC", "0.5")
    world.buy("ETH_USD", "1", 1000)
    desk.sync_ok()
    usd, btc = Balance.objects.get(currency="USD"), Balance.objects.get(currency="BTC")
    assert (usd.quantity, usd.available, usd.reserved, usd.market_value_usd) == (10_000, 9_000, 1_000, 10_000)
    assert btc.quantity * world.price("BTC_USD") == btc.market_value_usd
    assert btc.price_usd == world.price("BTC_USD")


def test_the_clock_offset_is_measured(desk, world):
    world.control("clock", skew_ms=5_000)
    assert abs(desk.sync_ok().clock_offset_ms - 5_000) <= 1_000


@pytest.mark.parametrize("kind", ["strings", "numbers", "unknown_fields"])
def test_odd_but_readable_answers_make_no_difference(desk, world, kind):
    world.buy("BTC_USD", "0.01", 60_000)
    desk.sync_ok()
    before = table_rows(ExchangeOrder)
    world.faults.add(kind)
    desk.sync_ok()
    assert table_rows(ExchangeOrder) == before


def test_an_account_without_anything(desk):
    desk.world = World({})
    run = desk.sync_ok()
    assert (run.balances, run.open_orders, run.status) == (0, 0, "OK")
