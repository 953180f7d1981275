"""Native pairs: what they must be, what they reserve, and how the end of one leg ends the other."""

from decimal import Decimal

import pytest

from exchange.simulator.config import Refusal
from exchange.simulator.models import Order
from tests.exchange.simulator.world import World

TARGET = {"instrument_name": "CRO_USD", "side": "SELL", "type": "LIMIT", "quantity": "100", "price": "0.05"}
STOP = {
    "instrument_name": "CRO_USD",
    "side": "SELL",
    "type": "STOP_LOSS",
    "quantity": "100",
    "ref_price": "0.045",
}


def pair(world: World, target: dict | None = None, stop: dict | None = None) -> tuple[Order, Order]:
    """The two legs of a fresh OCO on 100 CRO; the market is at 0.0471. The target's first."""
    legs = [TARGET | {"client_oid": "target"} | (target or {}), STOP | {"client_oid": "stop"} | (stop or {})]
    world.send_manually("private/advanced/create-oco", order_list=legs)
    return world.order(legs[0]["client_oid"]), world.order(legs[1]["client_oid"])


def refusal(world: World, target: dict | None = None, stop: dict | None = None) -> int:
    with pytest.raises(Refusal) as caught:
        pair(world, target, stop)
    return caught.value.code


def test_the_answer_is_only_a_list_id_and_the_legs_are_found_by_it():
    world = World({"CRO": 100})
    answer = world.send_manually("private/advanced/create-oco", order_list=[TARGET, STOP])
    assert list(answer) == ["list_id"]
    legs = world.send_manually("private/advanced/get-order-list-detail", list_id_list=[answer["list_id"]])[
        "data"
    ]
    assert [(leg["leg_id"], leg["order_type"], leg["status"]) for leg in legs] == [
        ("1", "LIMIT", "ACTIVE"),
        ("2", "STOP_LOSS", "PENDING"),
    ]
    assert {leg["contingency_type"] for leg in legs} == {"OCO"}
    assert legs[1]["client_oid"] == legs[0]["client_oid"] + "-2"


def test_or_legs_without_a_client_id_take_their_order_id():
    world = World({"CRO": 100}, oco_default_client_oid="order_id")
    world.send_manually("private/advanced/create-oco", order_list=[TARGET, STOP])
    assert all(order.client_oid == order.order_id for order in world.open_orders())


def test_the_coins_are_reserved_once():
    world = World({"CRO": 100})
    pair(world)
    assert world.exchange.dump()["reserved"] == {"CRO": "100"}
    assert refusal(world, {"client_oid": "a"}, {"client_oid": "b"}) == 306


def test_a_buying_pair_reserves_for_its_larger_leg_or_only_for_its_limit_leg():
    down = {"side": "BUY", "price": "0.045"}
    up = {"side": "BUY", "ref_price": "0.05"}
    world = World({"USD": 5})
    pair(world, down, up)
    assert Decimal(world.exchange.dump()["reserved"]["USD"]) == 5
    frugal = World({"USD": 5}, oco_reserves="limit_leg_only")
    pair(frugal, down, up)
    assert Decimal(frugal.exchange.dump()["reserved"]["USD"]) == Decimal("4.5")


def test_the_target_fills_and_the_stop_is_gone():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.set_price("CRO_USD", "0.05")
    assert (target.status, stop.status) == ("FILLED", "CANCELED")
    assert world.balance("CRO") == 0


def test_the_stop_fires_and_the_target_is_gone():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.set_price("CRO_USD", "0.044")
    assert (target.status, stop.status) == ("CANCELED", "FILLED")


def test_a_part_of_the_target_kills_the_stop_and_the_rest_stands_alone():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.fill(target, 10)
    assert (target.status, stop.status) == ("ACTIVE", "CANCELED")
    world.cancel(target)
    assert (target.status, target.cumulative_quantity) == ("CANCELED", 10)
    assert world.exchange.audit() == []


def test_or_the_rest_is_cancelled_too():
    world = World({"CRO": 100}, oco_remainder="canceled")
    target, stop = pair(world)
    world.fill(target, 10)
    assert (target.status, stop.status) == ("CANCELED", "CANCELED")


@pytest.mark.parametrize("reason", [0, 130008, 43012])
def test_the_reason_of_the_killed_leg_is_an_option(reason):
    world = World({"CRO": 100}, oco_sibling_reason=reason)
    _, stop = pair(world)
    world.set_price("CRO_USD", "0.05")
    assert stop.reason == reason


@pytest.mark.parametrize(("option", "other"), [("both", "CANCELED"), ("one", "PENDING")])
def test_cancelling_one_leg_cancels_the_other(option, other):
    world = World({"CRO": 100}, oco_leg_cancel=option)
    target, stop = pair(world)
    world.cancel(target)
    assert (target.status, stop.status) == ("CANCELED", other)


def test_cancel_oco_ends_both_and_a_second_time_it_is_too_late():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.send_manually("private/advanced/cancel-oco", list_id=target.list_id)
    assert (target.status, stop.status) == ("CANCELED", "CANCELED")
    with pytest.raises(Refusal, match="316"):
        world.send_manually("private/advanced/cancel-oco", list_id=target.list_id)


def test_in_a_race_the_sibling_may_fill_as_well_if_the_coins_are_there():
    world = World({"CRO": 200}, oco_race="sibling_may_fill")
    target, stop = pair(world)
    world.fill(target)
    assert (target.status, stop.status) == ("FILLED", "PENDING")
    world.set_price("CRO_USD", "0.045")
    assert stop.status == "FILLED"
    assert world.exchange.audit() == []


def test_and_after_the_race_it_is_gone():
    world = World({"CRO": 100}, oco_race="sibling_may_fill")
    target, stop = pair(world)
    world.fill(target, 10)
    world.tick(1)
    assert (target.status, stop.status) == ("ACTIVE", "CANCELED")


def test_a_stop_that_ends_with_a_remainder_has_no_sibling_left():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.set_liquidity("CRO_USD", 40)
    world.set_price("CRO_USD", "0.045")
    assert (stop.status, stop.cumulative_quantity, target.status) == ("CANCELED", 40, "CANCELED")


def test_a_stop_limit_leg_that_rests_leaves_the_target_alive_until_it_executes():
    world = World({"CRO": 100})
    target, stop = pair(world, stop={"type": "STOP_LIMIT", "price": "0.0452"})
    world.set_price("CRO_USD", "0.0449")
    assert (target.status, stop.status) == ("ACTIVE", "ACTIVE")
    world.set_price("CRO_USD", "0.0452")
    assert (target.status, stop.status) == ("CANCELED", "FILLED")


def test_a_leg_that_executes_in_its_own_create_answer():
    world = World({"CRO": 100})
    target, stop = pair(world, target={"price": "0.047"})
    assert (target.status, stop.status) == ("FILLED", "CANCELED")


@pytest.mark.parametrize(
    ("target", "stop", "code"),
    [
        ({"type": "TAKE_PROFIT", "ref_price": "0.05"}, {}, 40004),
        ({}, {"type": "LIMIT", "price": "0.05"}, 40004),
        ({"type": "MARKET"}, {}, 218),
        ({"side": "BUY", "price": "0.045"}, {}, 50010),
        ({}, {"quantity": "90"}, 50010),
        ({}, {"ref_price": "0.048"}, 50007),
        ({}, {"ref_price_type": "LAST_PRICE"}, 230),
        ({}, {"ref_price": "0.0450001"}, 229),
        ({"price": "0.0500001"}, {}, 50002),
        ({}, {"client_oid": "target"}, 204),
        ({"quantity": "10"}, {"quantity": "10"}, 415),
        ({"price": "0.04"}, {}, 315),
        ({"quantity": "200"}, {"quantity": "200"}, 306),
        ({"instrument_name": "CROUSD-PERP"}, {}, 412),
    ],
)
def test_a_pair_is_refused_and_nothing_is_left_of_it(target, stop, code):
    world = World({"CRO": 100})
    assert refusal(world, target, stop) == code
    assert world.open_orders() == []
    assert world.exchange.lists == {}


def test_two_triggers_and_unlike_legs_where_the_options_allow_them():
    world = World(
        {"CRO": 200}, oco_two_triggers="accepted", oco_legs="free", oco_leg_client_oids="may_repeat"
    )
    pair(world, {"type": "TAKE_PROFIT", "ref_price": "0.05"}, {"quantity": "90"})
    assert world.exchange.dump()["reserved"] == {"CRO": "100"}


def test_legs_too_near_to_mark_where_the_option_forbids_it():
    assert refusal(World({"CRO": 100}, oco_min_distance="half_percent"), {"price": "0.0472"}) == 50007


def test_the_order_list_must_be_two_objects():
    for legs in ([TARGET], [TARGET, STOP, STOP], "both", [TARGET, "STOP"]):
        with pytest.raises(Refusal, match="40004"):
            World({"CRO": 100}).send_manually("private/advanced/create-oco", order_list=legs)


@pytest.mark.parametrize("sign", ["negative", "positive"])
def test_the_sign_of_a_legs_fee_is_an_option(sign):
    world = World({"CRO": 100}, advanced_fee_sign=sign)
    pair(world)
    world.set_price("CRO_USD", "0.05")
    row = world.send_manually("private/advanced/get-order-history")["data"][0]
    assert row["cumulative_fee"].startswith("-") == (sign == "negative")


def test_a_withdrawal_under_a_resting_leg_ends_it_for_want_of_coins():
    world = World({"CRO": 100})
    target, stop = pair(world)
    world.withdraw("CRO", 50, force=True)
    world.set_price("CRO_USD", "0.05")
    assert (target.status, target.reason, stop.status) == ("CANCELED", 306, "CANCELED")
