"""ccxt's own streaming client, pointed at the simulator: only its addresses and its clock are set from here."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import ccxt.pro
import pytest

from exchange.simulator.server import running_server
from tests.exchange.simulator.streams import streams_of
from tests.exchange.simulator.world import KEY, SECRET, World

WAIT_S = 10


@pytest.fixture
def world():
    world = World({"USD": 10_000, "BTC": "0.5"})
    world.set_price("BTC_USD", 60_000)
    return world


@pytest.fixture
def addresses(world):
    """Of REST and of the streams."""
    with running_server(world.app) as rest, streams_of(world) as streams:
        yield rest, streams.root


def streaming(world, addresses, story):
    """Run `story(client)` with a client that is closed at the end."""
    rest, root = addresses

    async def run():
        client = ccxt.pro.cryptocom({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
        api = client.urls["api"]
        client.urls["api"] = {name: f"{rest}/exchange/v1" for name in api if name != "ws"} | {
            "ws": {"public": f"{root}/market", "private": f"{root}/user"}
        }
        client.milliseconds = world.now_ms
        try:
            return await asyncio.wait_for(story(client), WAIT_S)
        finally:
            await client.close()

    # In a thread of its own: the browser of other tests leaves a running loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


async def when_subscribed(world, channel):
    while not any(channel in each.channels for each in world.exchange.account_feed.sessions):
        await asyncio.sleep(0.01)


def test_orders_are_watched(world, addresses):
    async def story(client):
        await client.load_markets()
        watching = asyncio.create_task(client.watch_orders("BTC/USD"))
        await when_subscribed(world, "user.order.BTC_USD")
        order = world.buy("BTC_USD", "0.01", 50_000, client_oid="mine")
        placed = dict((await watching)[0])  # ccxt goes on to change the row itself
        watching = asyncio.create_task(client.watch_orders("BTC/USD"))
        await asyncio.sleep(0.05)
        world.fill(order)
        (filled,) = await watching
        return order, placed, filled

    order, placed, filled = streaming(world, addresses, story)
    assert (placed["id"], placed["clientOrderId"], placed["status"]) == (order.order_id, "mine", "open")
    assert (placed["price"], placed["amount"], placed["filled"]) == (50_000, 0.01, 0)
    assert (filled["id"], filled["status"], filled["filled"]) == (order.order_id, "closed", 0.01)


def test_what_is_open_already_comes_first(world, addresses):
    order = world.buy("BTC_USD", "0.01", 50_000)
    (listed,) = streaming(world, addresses, lambda client: client.watch_orders("BTC/USD"))
    assert listed["id"] == order.order_id


def test_trades_are_watched(world, addresses):
    async def story(client):
        watching = asyncio.create_task(client.watch_my_trades("BTC/USD"))
        await when_subscribed(world, "user.trade.BTC_USD")
        world.sell("BTC_USD", "0.01")
        return await watching

    trades = streaming(world, addresses, story)
    assert {trade["side"] for trade in trades} == {"sell"}
    assert {trade["amount"] for trade in trades} == {0.01}
    assert {trade["fee"]["currency"] for trade in trades} == {"USD"}


def test_the_balance_is_watched(world, addresses):
    async def story(client):
        first = await client.watch_balance()
        totals = {name: first[name]["total"] for name in ("USD", "BTC")}
        watching = asyncio.create_task(client.watch_balance())
        await asyncio.sleep(0.05)
        world.deposit("USD", 5)
        return totals, (await watching)["USD"]["total"]

    assert streaming(world, addresses, story) == ({"USD": 10_000, "BTC": 0.5}, 10_005)


def test_a_wrong_key_is_an_error_of_authentication(world, addresses):
    world.exchange.keys = {KEY: "another"}
    with pytest.raises(ccxt.pro.AuthenticationError):
        streaming(world, addresses, lambda client: client.watch_orders())


def test_a_ticker_is_watched(world, addresses):
    ticker = streaming(world, addresses, lambda client: client.watch_ticker("BTC/USD"))
    assert ticker["last"] == 60_000
