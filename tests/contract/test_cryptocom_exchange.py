"""Another client we did not write: cryptocom-exchange, with which the recordings of the live exchange were made."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import cryptocom.exchange as cryptocom
import pytest

from exchange.simulator.server import running_server
from tests.exchange.simulator.world import KEY, SECRET, World


@pytest.fixture
def world():
    """Its clock begins now: this client takes its nonce from the machine's clock."""
    return World({"USD": 10_000, "BTC": "0.5"}, start_ms=int(time.time() * 1000))


@pytest.fixture
def account(world, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    world.set_price("BTC_USD", "60000.00")
    with running_server(world.app) as address:
        api = cryptocom.ApiProvider(
            api_key=KEY, api_secret=SECRET, retries=1, root_url=f"{address}/exchange/v1/"
        )
        yield cryptocom.Account(api=api, market=cryptocom.Market(api), orders_ttl=0)


@pytest.fixture
def ask():
    """Waits for a coroutine; this client keeps to one event loop, in a thread without another one."""
    with ThreadPoolExecutor(1) as thread:
        runner = thread.submit(asyncio.Runner).result()
        yield lambda coroutine: thread.submit(runner.run, coroutine).result()
        thread.submit(runner.close).result()


def pair(account, ask):
    ask(account.sync_pairs())
    return account.pairs["BTC_USD"]


async def listed(rows, count):
    found = []
    async for row in rows:
        found.append(row)
        if len(found) == count:
            break
    return found


def test_the_balance_and_the_accounts_are_read_without_params(account, ask, world):
    balance = {row.exchange_name: amount.total for row, amount in ask(account.get_balance()).items()}
    assert balance == {"USD": 10_000.0, "BTC": 0.5}
    assert ask(account.get_accounts())["master_account"]["uuid"] == world.exchange.account_uuid


def test_what_else_the_account_has(account, ask, world):
    world.withdraw("USD", 100)
    assert ask(account.get_subaccount_balances()) == []
    assert ask(account.get_balance_history())
    assert sorted(row.amount for row in ask(account.get_deposit_history())) == [0.5, 10_000.0]
    assert [row.amount for row in ask(account.get_withdrawal_history())] == [100.0]


def test_the_market(account, ask, world):
    btc = pair(account, ask)
    assert ask(account.market.get_price(btc)) == 60_000.0
    assert ask(account.market.get_ticker(btc)).pair == btc
    assert ask(account.market.get_tickers())
    book = ask(account.market.get_orderbook(btc, depth=5))
    assert max(row.price for row in book.buys) < min(row.price for row in book.sells)
    candles = ask(listed(account.market.get_candles(btc, cryptocom.Timeframe.HOUR), 3))
    assert [candle.time % 3600 for candle in candles] == [0, 0, 0]
    assert 0 <= world.now_ms() / 1000 - candles[0].time < 7200
    assert ask(listed(account.market.get_trades(btc), 3))
    assert ask(account.market.get_risk_parameters()).base_currency_config


def test_fees(account, ask):
    assert ask(account.get_fee_rate()).spot_maker_bps == 24.25
    assert ask(account.get_instrument_fee_rate(pair(account, ask))).taker_bps == 48.5


def test_an_order_from_placing_to_cancelling(account, ask, world):
    btc = pair(account, ask)
    keys = ask(account.buy_limit(btc, 0.01, 50_000))
    (order,) = ask(account.get_open_orders(btc))
    assert (order.id, order.client_id) == (keys.id, keys.client_id)
    changed = ask(account.update_order(btc, client_id=keys.client_id, new_price=51_000, new_quantity=0.01))
    ask(account.cancel_order(btc, changed.client_id))
    assert world.order(keys.id).status == "CANCELED"
    ask(account.buy_limit(btc, 0.01, 50_000))
    ask(account.cancel_open_orders(btc))
    assert world.open_orders() == []


def test_market_orders_and_what_became_of_them(account, ask, world):
    btc = pair(account, ask)
    ask(account.buy_market(btc, 600))
    world.tick(1)
    ask(account.sell_market(btc, 0.005))
    world.tick(1)
    trades = ask(account.get_trades(btc))
    assert {trade.side.value for trade in trades} == {"BUY", "SELL"}
    assert len(ask(account.get_orders_history(btc))) == 2
