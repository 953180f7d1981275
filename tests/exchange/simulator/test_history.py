"""Windows and pages of orders and trades that are over."""

import time
from decimal import Decimal

import pytest

from exchange.simulator.config import Refusal
from exchange.simulator.exchange import Exchange
from exchange.simulator.models import NS_PER_MS, Order, Trade
from tests.exchange.simulator.world import World

HISTORY, TRADES = "private/get-order-history", "private/get-trades"
DAY = 86_400


def cancelled(world: World, name: str) -> Order:
    order = world.buy("CRO_USD", 100, "0.04", client_oid=name)
    world.cancel(order)
    return order


def names(world: World, method: str = HISTORY, **params: object) -> list[str]:
    return [row["client_oid"] for row in world.send_manually(method, **params)["data"]]


def test_newest_end_first_whatever_began_first():
    world = World()
    slow = world.buy("CRO_USD", 100, "0.04", client_oid="slow")
    cancelled(world, "quick")
    world.tick()
    world.cancel(slow)
    assert names(world) == ["slow", "quick"]


def test_the_default_window_is_a_day():
    world = World()
    cancelled(world, "old")
    start = world.now_ms()
    world.tick(DAY + 1)
    cancelled(world, "new")
    assert names(world) == ["new"]
    assert names(world, start_time=start) == ["new", "old"]
    assert names(world, end_time=world.now_ms() - DAY * 500) == ["old"]


@pytest.mark.parametrize("unit", [1, NS_PER_MS])
@pytest.mark.parametrize("method", [HISTORY, TRADES])
def test_the_start_counts_and_the_end_does_not(unit, method):
    world = World(ns_resolution="ms")
    moments = []
    for name in ("a", "b", "c"):
        moments.append(str(world.now_ms() * unit))
        world.buy("CRO_USD", 100, client_oid=name)
        world.tick()
    assert names(world, method, start_time=moments[0], end_time=moments[2]) == ["b", "a"]


def test_a_start_after_the_end_still_answers():
    world = World()
    cancelled(world, "one")
    later = world.now_ms() + 1000
    assert names(world, start_time=later, end_time=world.now_ms() - 1000) == ["one"]


@pytest.mark.parametrize(("limit", "code"), [("20", 40003), (0, 40004), (True, 40003), (1.5, 40003)])
def test_the_limit_is_a_number(limit, code):
    with pytest.raises(Refusal, match=str(code)):
        names(World(), limit=limit)


def test_or_text_will_do():
    world = World(limit_type="any")
    for name in ("a", "b"):
        cancelled(world, name)
    assert names(world, limit="1") == ["b"]


def test_pages_are_walked_by_the_oldest_time():
    world = World()
    for number in range(7):
        world.buy("CRO_USD", 100, client_oid=f"o{number}")
    seen, end = [], None
    while True:
        rows = world.send_manually(TRADES, limit=3, **({} if end is None else {"end_time": end}))["data"]
        if not rows:
            break
        seen += [row["client_oid"] for row in rows]
        end = rows[-1]["create_time_ns"]
    assert seen == [f"o{number}" for number in reversed(range(7))]


def test_a_hundred_and_one_in_one_millisecond():
    world = World(ns_resolution="ms")
    for _ in range(101):
        world.buy("CRO_USD", 100)
    rows = world.send_manually(TRADES, limit=500)["data"]
    assert len(rows) == 100
    assert len({row["create_time_ns"] for row in rows}) == 1


@pytest.mark.parametrize(("option", "expected"), [("newest_first", ["b", "a"]), ("oldest_first", ["a", "b"])])
def test_the_order_inside_one_moment_is_an_option(option, expected):
    world = World(ns_resolution="ms", tie_order=option)
    for name in ("a", "b"):
        cancelled(world, name)
    assert names(world) == expected


def test_the_window_may_be_on_creation():
    world = World(history_window="create")
    order = world.buy("CRO_USD", 100, "0.04", client_oid="long")
    world.tick(DAY * 2)
    world.cancel(order)
    assert names(world) == []
    world.set_behaviour(history_window="update")
    assert names(world) == ["long"]


@pytest.mark.parametrize(("option", "seen"), [("any", ["a"]), ("seven_days", []), ("refused", None)])
@pytest.mark.parametrize(("method", "field"), [(HISTORY, "history_widest"), (TRADES, "trades_widest")])
def test_more_than_seven_days_at_once(method, field, option, seen):
    world = World(**{field: option})
    start = world.now_ms()
    world.buy("CRO_USD", 100, client_oid="a")
    world.tick(DAY * 8)
    if seen is None:
        with pytest.raises(Refusal, match="40005"):
            names(world, method, start_time=start)
    else:
        assert names(world, method, start_time=start) == seen


def test_after_half_a_year_the_records_are_gone():
    world = World()
    start = world.now_ms()
    cancelled(world, "old")
    world.tick(DAY * 184)
    assert names(world, start_time=start) == []


def test_the_name_spaces_have_their_own_histories_and_share_the_trades():
    world = World({"CRO": 100, "USD": 100})
    asked = {"instrument_name": "CRO_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": "100"}
    world.send_manually("private/advanced/create-order", **asked, ref_price="0.045", client_oid="stop")
    world.buy("CRO_USD", 100, client_oid="plain")
    world.set_price("CRO_USD", "0.044")
    assert names(world) == ["plain"]
    assert names(world, "private/advanced/get-order-history") == ["stop"]
    assert names(world, TRADES) == ["stop", "plain"]
    assert names(world, TRADES, instrument_name="BTC_USD") == []


def fill_up(world: World, count: int) -> None:
    """Finished orders with a trade each, one every minute, straight into the record."""
    for number in range(count):
        ns = (world.now_ms() - (count - number) * 60_000) * NS_PER_MS
        ids = {"order_id": str(10**18 + number), "client_oid": f"c{number}", "instrument_name": "CRO_USD"}
        world.exchange.add_order(
            Order(
                name_space="plain",
                side="BUY",
                order_type="LIMIT",
                quantity=Decimal(100),
                limit_price=Decimal("0.04"),
                cumulative_quantity=Decimal(100),
                cumulative_value=Decimal(4),
                status="FILLED",
                fee_instrument_name="CRO",
                create_time_ns=ns,
                update_time_ns=ns,
                **ids,
            )
        )
        world.exchange.add_trade(
            Trade(
                trade_id=str(number),
                trade_match_id=str(number),
                side="BUY",
                taker_side="MAKER",
                quantity=Decimal(100),
                price=Decimal("0.04"),
                fee=Decimal("-0.2"),
                fee_instrument_name="CRO",
                create_time_ns=ns,
                **ids,
            )
        )


@pytest.mark.slow
def test_a_hundred_thousand_finished_orders_and_a_thousand_open_ones_answer_quickly():
    world = World({"USD": 100_000_000})
    fill_up(world, 100_000)
    for symbol in ("CRO_USD", "XRP_USD", "ADA_USD", "DOGE_USD", "LTC_USD"):
        price = str((world.price(symbol) / 2).quantize(Decimal("0.01")))
        for _ in range(200):
            world.buy(symbol, 1000, price if symbol != "CRO_USD" else "0.03")
    started = time.perf_counter()
    for day in range(20):
        end = world.now_ms() - day * DAY * 1000
        assert len(names(world, end_time=end)) == len(names(world, TRADES, end_time=end)) == 100
    world.send_manually("private/user-balance")
    world.tick(60)
    assert time.perf_counter() - started < 5
    assert world.exchange.audit() == []


def test_a_saved_exchange_goes_on_where_it_was():
    world = World({"CRO": 300, "USD": 100})
    world.buy("CRO_USD", 100, client_oid="done")
    target = {
        "instrument_name": "CRO_USD",
        "side": "SELL",
        "type": "LIMIT",
        "quantity": "100",
        "price": "0.05",
    }
    stop = target | {"type": "STOP_LOSS", "ref_price": "0.045"}
    world.send_manually("private/advanced/create-oco", order_list=[target, stop])
    state = world.exchange.to_state()
    back = Exchange.from_state(state, prices=world.prices, now_ms=world.now_ms)
    assert back.to_state() == state
    assert back.dump() | {"faults": []} == world.exchange.dump() | {"faults": []}
    world.exchange = back
    world.set_price("CRO_USD", "0.044")
    assert [order.status for order in back.stores["advanced"].by_id.values()] == ["CANCELED", "FILLED"]
    assert back.audit() == []
