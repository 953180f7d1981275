"""Orders with stop and take profit attached take effect when the first is executed completely."""

from decimal import Decimal as D

import pytest

from exchange.simulator.config import Refusal
from exchange.simulator.exchange import Exchange
from tests.exchange.simulator.world import World

BUY = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "quantity": "100", "price": "0.040"}
SELL = {"instrument_name": "CRO_USD", "side": "SELL", "quantity": "100"}
STOP = SELL | {"type": "STOP_LOSS", "ref_price": "0.030"}
TARGET = SELL | {"type": "TAKE_PROFIT", "ref_price": "0.060"}


@pytest.fixture
def world():
    world = World()
    world.set_fees(0, 0)
    world.set_price("CRO_USD", "0.050")
    return world


def send(world, *legs, method="create-otoco"):
    answer = world.send_manually(f"private/advanced/{method}", order_list=list(legs))
    return [world.order(one) for one in world.exchange.lists[answer["list_id"]].order_ids]


def statuses(*orders):
    return [order.status for order in orders]


def test_triggers_wait_until_the_first_order_is_executed_completely(world):
    primary, stop = send(world, BUY, STOP | {"ref_price": "0.055"}, method="create-oto")
    world.tick(1)
    assert statuses(primary, stop) == ["ACTIVE", "PENDING"]
    world.set_price("CRO_USD", "0.029")
    assert statuses(primary, stop) == ["FILLED", "FILLED"]
    assert world.balance("CRO") == 0


def test_a_part_is_not_enough(world):
    primary, stop, target = send(world, BUY, STOP, TARGET)
    world.fill(primary, 40)
    world.set_price("CRO_USD", "0.070")
    assert statuses(primary, stop, target) == ["ACTIVE", "PENDING", "PENDING"]
    world.fill(primary)
    world.tick(1)
    assert statuses(primary, stop, target) == ["FILLED", "CANCELED", "FILLED"]
    assert not world.exchange.audit()


def test_a_market_order_arms_them_at_once(world):
    market = {name: BUY[name] for name in ("instrument_name", "side", "quantity")} | {"type": "MARKET"}
    primary, stop, target = send(world, market, STOP, TARGET)
    assert statuses(primary, stop, target) == ["FILLED", "PENDING", "PENDING"]
    world.set_price("CRO_USD", "0.029")
    assert statuses(stop, target) == ["FILLED", "CANCELED"]


@pytest.mark.parametrize(("orphans", "left"), [("canceled", "CANCELED"), ("stay", "PENDING")])
def test_what_the_triggers_of_a_cancelled_order_do_is_not_known(world, orphans, left):
    world.set_behaviour(attached_orphans=orphans)
    primary, stop, target = send(world, BUY, STOP, TARGET)
    world.cancel(primary)
    assert statuses(primary, stop, target) == ["CANCELED", left, left]
    world.set_price("CRO_USD", "0.070")
    assert statuses(target) == [left]


@pytest.mark.parametrize("method", ["cancel-oto", "cancel-otoco"])
def test_a_list_is_cancelled_as_a_whole(world, method):
    legs = send(world, BUY, STOP, TARGET)
    world.send_manually(f"private/advanced/{method}", list_id=legs[0].list_id)
    assert statuses(*legs) == ["CANCELED"] * 3
    with pytest.raises(Refusal, match="316"):
        world.send_manually(f"private/advanced/{method}", list_id=legs[0].list_id)


def test_one_trigger_can_be_cancelled_alone(world):
    primary, stop, target = send(world, BUY, STOP, TARGET)
    world.cancel(target)
    assert statuses(primary, stop, target) == ["ACTIVE", "PENDING", "CANCELED"]


def test_only_the_first_order_reserves(world):
    send(world, BUY, STOP, TARGET)
    assert world.exchange.dump()["reserved"] == {"USD": "4.000"}


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ([BUY], 40004),
        ([BUY, STOP, TARGET, TARGET], 40004),
        ([BUY, STOP, STOP | {"ref_price": "0.02"}], 40004),
        ([STOP, BUY, TARGET], 40004),
        ([BUY, SELL | {"type": "LIMIT", "price": "0.06"}, TARGET], 40004),
        ([BUY, STOP | {"side": "BUY"}, TARGET], 50010),
        ([BUY | {"quantity": "9999999"}, STOP, TARGET], 306),
        ([BUY | {"client_oid": "a"}, STOP | {"client_oid": "a"}, TARGET], 204),
    ],
)
def test_what_such_a_list_must_be(world, legs, code):
    with pytest.raises(Refusal, match=str(code)):
        send(world, *legs)
    assert world.open_orders() == []


def test_its_rows_carry_what_they_hang_on(world):
    legs = send(world, BUY, STOP, TARGET)
    rows = world.send_manually("private/advanced/get-order-list-detail", list_id_list=[legs[0].list_id])
    assert {row["contingency_type"] for row in rows["data"]} == {"SPOT_ATTACH"}
    assert [row["leg_id"] for row in rows["data"]] == ["1", "2", "3"]
    assert len({row["attach_order_id"] for row in rows["data"]}) == 1


def test_it_is_saved(world):
    primary, *_ = send(world, BUY, STOP, TARGET)
    saved = world.exchange.to_state()
    world.exchange = world.app.exchange = Exchange.from_state(saved, prices=world.prices, now_ms=world.now_ms)
    world.set_price("CRO_USD", "0.039")
    world.set_price("CRO_USD", "0.061")
    assert world.order(primary.order_id).status == "FILLED"
    assert world.balance("CRO") == 0
    assert world.balance("USD") > D(10_000)
