"""Behaviour options for what is undocumented: each value has its effect (dossier 11)."""

import pytest

from exchange.simulator.access import RateLimits
from exchange.simulator.config import BehaviourOptions, Refusal
from tests.exchange.simulator import raw
from tests.exchange.simulator.world import World

SOL = {"instrument_name": "SOL_USD", "side": "BUY", "quantity": "1"}


def new_world(**behaviour):
    world = World({"USD": 100_000, "SOL": 100}, **behaviour)
    world.set_price("SOL_USD", "150")
    return world


def pair(world):
    legs = [
        SOL | {"side": "SELL", "type": "LIMIT", "price": "170", "client_oid": "target"},
        SOL | {"side": "SELL", "type": "STOP_LOSS", "ref_price": "120", "client_oid": "stop"},
    ]
    world.send_manually("private/advanced/create-oco", order_list=legs)
    return world.order("target")


@pytest.mark.parametrize(("most", "refused"), [(0, False), (30_000, True)])
def test_the_largest_order(most, refused):
    world = new_world(largest_order_usd=most)
    order = SOL | {"type": "LIMIT", "price": "140", "quantity": "300"}
    if refused:
        with pytest.raises(Refusal, match="314") as caught:
            world.send_manually("private/create-order", **order)
        assert world.order(caught.value.result["order_id"]).status == "REJECTED"
    else:
        world.send_manually("private/create-order", **order)


@pytest.mark.parametrize(("farthest", "refused"), [("any", False), ("twice_mark", True)])
def test_the_farthest_trigger(farthest, refused):
    world = new_world(trigger_farthest=farthest)
    stop = SOL | {"type": "STOP_LOSS", "ref_price": "301"}
    if refused:
        with pytest.raises(Refusal, match="50007"):
            world.send_manually("private/advanced/create-order", **stop)
        stop["ref_price"] = "300"
    assert world.send_manually("private/advanced/create-order", **stop)["order_id"]


@pytest.mark.parametrize(("every_ms", "status"), [(0, "FILLED"), (2000, "PENDING")])
def test_how_often_a_trigger_is_looked_at(every_ms, status):
    world = new_world(trigger_every_ms=every_ms)
    world.send_manually(
        "private/advanced/create-order",
        **SOL | {"side": "SELL"},
        type="STOP_LOSS",
        ref_price="140",
        client_oid="stop",
    )
    world.set_price("SOL_USD", "139")
    assert world.order("stop").status == status
    world.tick(2)
    assert world.order("stop").status == "FILLED"


def test_a_touch_between_two_looks_goes_unseen():
    world = new_world(trigger_every_ms=2000)
    world.send_manually(
        "private/advanced/create-order",
        **SOL | {"side": "SELL"},
        type="STOP_LOSS",
        ref_price="140",
        client_oid="stop",
    )
    world.set_price("SOL_USD", "139")
    world.set_price("SOL_USD", "150")
    world.tick(4)
    assert world.order("stop").status == "PENDING"


def test_the_plain_endpoint_may_amend_a_leg():
    refusing, accepting = new_world(), new_world(plain_amend_of_legs="accepted")
    for world in (refusing, accepting):
        pair(world)
    change = {"orig_client_oid": "target", "new_price": "171", "new_quantity": "1", "client_oid": "target-2"}
    with pytest.raises(Refusal, match="212"):
        refusing.send_manually("private/amend-order", **change)
    accepting.send_manually("private/amend-order", **change)
    assert accepting.order("target-2").limit_price == 171
    with pytest.raises(Refusal, match="212"):
        accepting.send_manually("private/amend-order", **change | {"orig_client_oid": "stop"})


@pytest.mark.parametrize(
    ("scope", "value", "refused"),
    [("D", "accepted", False), ("D", "refused", True), ("M", "refused", False), ("X", "accepted", True)],
)
def test_self_trade_scopes(scope, value, refused):
    world = new_world(stp_scope_default=value)
    order = SOL | {"type": "LIMIT", "price": "140", "stp_scope": scope, "stp_inst": "M"}
    if refused:
        with pytest.raises(Refusal, match="40004"):
            world.send_manually("private/create-order", **order)
    else:
        world.send_manually("private/create-order", **order)
    with pytest.raises(Refusal, match="40004"):
        world.send_manually("private/create-order", **SOL, type="LIMIT", price="140", stp_scope="S")


@pytest.mark.parametrize(("days", "kept"), [(183, 1), (30, 0)])
def test_how_long_advanced_history_is_kept(days, kept):
    world = new_world(advanced_history_days=days)
    world.cancel(pair(world))
    world.cancel(world.buy("SOL_USD", "1", "140"))
    world.tick(40 * 86_400)
    window = {"start_time": str(world.clock_ms - 41 * 86_400_000), "end_time": str(world.clock_ms)}
    told = world.send_manually("private/advanced/get-order-history", **window)["data"]
    assert len(told) == 2 * kept
    assert len(world.send_manually("private/get-order-history", **window)["data"]) == 1


def calls_allowed(method, moments, **behaviour):
    limits, settings = RateLimits(enabled=True), BehaviourOptions().with_changes(behaviour)
    return [limits.allow(method, ms, settings) for ms in moments]


def test_rate_limits_by_table_or_ten_per_second():
    moments = [0, 10, 20, 100, 110, 120, 200, 210, 220, 300, 310]
    assert all(calls_allowed("private/user-balance", moments))
    assert calls_allowed("private/user-balance", moments, rate_private="10_per_s")[-1] is False
    assert calls_allowed("private/user-balance", [0, 1, 2, 3], rate_private="10_per_s")[-1] is True


def test_after_a_refusal_the_method_may_stay_closed():
    moments = [0, 1000, 1999, 2000]
    assert calls_allowed("private/get-trades", [0, 1, 1000]) == [True, False, True]
    assert calls_allowed("private/get-trades", [0, 1, 1000, 2001], rate_penalty_ms=2000) == [
        True,
        False,
        False,
        False,
    ]
    assert calls_allowed("private/get-trades", [0, 1, 2001], rate_penalty_ms=2000) == [True, False, True]
    assert all(calls_allowed("private/get-trades", moments[:2]))


@pytest.mark.parametrize(
    ("name", "value", "code", "status"),
    [
        ("http_40401", 200, 40401, 200),
        ("http_40401", 404, 40401, 404),
        ("http_4300x", 500, 43005, 500),
        ("http_4300x", 400, 43005, 400),
        ("http_unlisted", 500, 140001, 500),
        ("http_unlisted", 200, 140001, 200),
        ("http_with_ids", "table", 306, 500),
        ("http_with_ids", "200", 306, 200),
    ],
)
def test_http_statuses_are_settings(name, value, code, status):
    world = new_world(**{name: value})
    asked = {
        40401: ("private/get-order-detail", {"order_id": "1"}),
        43005: ("private/create-order", SOL | {"type": "MARKET", "exec_inst": ["POST_ONLY"]}),
        140001: ("private/create-order", SOL | {"type": "STOP_LOSS", "ref_price": "140"}),
        306: ("private/create-order", SOL | {"type": "LIMIT", "price": "140", "quantity": "1000"}),
    }
    method, params = asked[code]
    answer = raw.post(world, method, params)
    assert (answer[0], raw.code(answer)) == (status, code)
