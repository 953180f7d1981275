"""Faults: when a rule applies, and what was done although the answer was lost."""

from collections.abc import Callable
from decimal import Decimal

import pytest
import requests

from exchange.client.errors import BadResponse, ExchangeError, RateLimited, UnknownOutcome, Unreachable
from exchange.schemas import NameSpace, NewOrder
from exchange.simulator.faults import KINDS, Faults
from tests.exchange.simulator import raw
from tests.exchange.simulator.world import World

CREATE = "private/create-order"
BUY = NewOrder(
    instrument_name="CRO_USD",
    side="BUY",
    type="LIMIT",
    client_oid="mine",
    quantity=Decimal(100),
    price=Decimal("0.04"),
)


def struck(faults: Faults, calls: int, method: str = CREATE) -> list[int]:
    return [number for number in range(1, calls + 1) if faults.matching_rules(method)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 3, "times": 1}, [3]),
        ({"probability": 0}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_when_a_rule_applies(rule, expected):
    faults = Faults()
    faults.add("drop_before", **rule)
    assert struck(faults, 6) == expected


def test_a_rule_is_for_the_methods_its_pattern_names():
    faults = Faults()
    faults.add("drop_before", "private/advanced/*")
    assert (struck(faults, 1), struck(faults, 1, "private/advanced/create-oco")) == ([], [1])


def test_chance_is_the_same_for_the_same_seed():
    def drawn(seed: int) -> list[int]:
        faults = Faults(seed)
        faults.add("drop_before", probability=0.5)
        return struck(faults, 40)

    assert drawn(1) == drawn(1) != drawn(2)


def test_rules_go_one_by_one_or_all_together():
    faults = Faults()
    first = faults.add("drop_before")
    faults.add("garbage")
    faults.remove(first)
    assert [rule["kind"] for rule in faults.rows()] == ["garbage"]
    faults.clear()
    assert struck(faults, 3) == []
    with pytest.raises(ValueError, match="no fault is called flood"):
        faults.add("flood")


@pytest.mark.parametrize(
    ("kind", "detail", "booked"),
    [
        ("drop_before", {}, False),
        ("process_then_drop", {}, True),
        ("http", {"status": 502}, False),
        ("http", {"status": 503, "body": "json"}, False),
        ("http", {"status": 504, "body": "text"}, False),
        ("process_then_http", {"status": 502}, True),
        ("refuse", {"code": 40801}, False),
        ("process_then_refuse", {"code": 50001}, True),
        ("process_then_refuse", {"code": 120009}, True),
        ("maintenance", {}, False),
        ("garbage", {}, True),
        ("truncate", {}, True),
        ("without_ids", {}, True),
        ("code_with_ids", {"code": 315}, True),
    ],
)
def test_a_write_that_ends_in_the_dark_was_done_or_not(kind, detail, booked):
    world = World()
    world.faults.add(kind, CREATE, **detail)
    with pytest.raises(UnknownOutcome):
        world.client().order_create(NameSpace.PLAIN, BUY)
    assert bool(world.open_orders()) is booked


@pytest.mark.parametrize(
    ("kind", "detail", "error"),
    [
        ("drop_before", {}, Unreachable),
        ("http", {"status": 502}, Unreachable),
        ("maintenance", {}, Unreachable),
        ("garbage", {}, BadResponse),
        ("truncate", {}, BadResponse),
        ("refuse", {"code": 42901}, RateLimited),
    ],
)
def test_a_read_fails_after_its_repetitions(kind, detail, error):
    world = World()
    world.faults.add(kind, "private/user-balance", **detail)
    with pytest.raises(error):
        world.client().balance()


def test_a_read_survives_one_bad_call():
    world = World()
    world.faults.add("http", "private/user-balance", nth=1, status=502)
    assert world.client().balance().total_cash_balance == 10_000


def test_a_slow_answer_runs_into_the_timeout_and_the_order_lives():
    world = World()
    world.faults.add("delay", CREATE, seconds=15)
    with pytest.raises(UnknownOutcome):
        world.client().order_create(NameSpace.PLAIN, BUY)
    assert [order.client_oid for order in world.open_orders()] == ["mine"]


def test_a_slow_body_too():
    world = World()
    world.faults.add("slow_body", CREATE, seconds=15)
    with pytest.raises(UnknownOutcome):
        world.client().order_create(NameSpace.PLAIN, BUY)
    assert len(world.open_orders()) == 1


def test_a_delay_within_the_timeout_only_takes_time():
    world = World()
    world.faults.add("delay", "private/user-balance", seconds=3)
    before = world.now_ms()
    world.client().balance()
    assert world.now_ms() - before == 3000


def test_an_order_that_arrives_after_everybody_gave_up():
    world = World()
    world.faults.add("process_later", CREATE, seconds=30, times=1)
    client = world.client()
    with pytest.raises(UnknownOutcome):
        client.order_create(NameSpace.PLAIN, BUY)
    assert client.order_detail(NameSpace.PLAIN, client_oid="mine") is None
    world.tick(31)
    order = client.order_detail(NameSpace.PLAIN, client_oid="mine")
    assert order.create_time_ms == world.now_ms() - 1000


def test_but_not_after_its_nonce_has_expired():
    world = World()
    world.faults.add("process_later", CREATE, seconds=61)
    with pytest.raises(UnknownOutcome):
        world.client().order_create(NameSpace.PLAIN, BUY)
    world.tick(70)
    assert world.open_orders() == []


def test_a_read_that_succeeds_without_content():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04")
    world.faults.add("empty")
    client = world.client()
    assert client.balance().positions == ()
    assert client.open_orders(NameSpace.PLAIN) == client.trades() == []
    assert client.order_detail(NameSpace.PLAIN, order_id=order.order_id) is None


def test_rows_that_lack_what_identifies_them():
    world = World()
    world.buy("CRO_USD", 100, "0.04")
    world.faults.add("missing_fields", fields=["order_id"])
    with pytest.raises(BadResponse):
        world.client().open_orders(NameSpace.PLAIN)


def test_an_accepted_cancel_that_is_never_done():
    world = World()
    order = world.buy("CRO_USD", 100, "0.04")
    world.faults.add("ignore_cancel", "private/cancel-order", times=1)
    client = world.client()
    assert client.order_cancel(NameSpace.PLAIN, order_id=order.order_id).code == 0
    assert order.status == "ACTIVE"
    client.order_cancel(NameSpace.PLAIN, order_id=order.order_id)
    assert order.status == "CANCELED"


def test_a_hidden_order_works_reserves_and_answers_204_but_cannot_be_read():
    world = World({"USD": 5})
    world.faults.add("hide_order", CREATE, seconds=1800)
    client = world.client()
    client.order_create(NameSpace.PLAIN, BUY)
    assert client.order_detail(NameSpace.PLAIN, client_oid="mine") is None
    assert client.open_orders(NameSpace.PLAIN) == []
    assert world.exchange.dump()["reserved"] == {"USD": "4.00"}
    with pytest.raises(ExchangeError) as caught:
        client.order_create(NameSpace.PLAIN, BUY)
    assert caught.value.code == 204
    world.tick(1800)
    assert client.order_detail(NameSpace.PLAIN, client_oid="mine") is not None


def test_a_hidden_pair_and_an_order_hidden_later():
    world = World({"CRO": 100, "USD": 100})
    world.faults.add("hide_order", "private/advanced/create-oco", seconds=10)
    target = NewOrder(
        instrument_name="CRO_USD",
        side="SELL",
        type="LIMIT",
        client_oid="t",
        quantity=Decimal(100),
        price=Decimal("0.05"),
    )
    stop = NewOrder(
        instrument_name="CRO_USD",
        side="SELL",
        type="STOP_LOSS",
        client_oid="s",
        quantity=Decimal(100),
        ref_price=Decimal("0.045"),
    )
    client = world.client()
    list_id = client.oco_create(target, stop)
    assert client.order_list_detail([list_id]) == []
    world.tick(10)
    assert len(client.order_list_detail([list_id])) == 2
    plain = world.buy("CRO_USD", 100, "0.04")
    world.hide(plain, 5)
    assert client.open_orders(NameSpace.PLAIN) == []


def stale_world() -> World:
    world = World({"USD": 100})
    world.faults.add("stale", age_s=5)
    world.client().balance()
    world.tick(10)
    return world


STALE_READS: list[Callable[[World], object]] = [
    lambda world: world.client().balance().positions[0].max_withdrawal_balance,
    lambda world: world.client().open_orders(NameSpace.PLAIN),
    lambda world: world.client().order_detail(NameSpace.PLAIN, client_oid="hand-1"),
]


@pytest.mark.parametrize("read", STALE_READS)
def test_a_stale_answer_does_not_know_the_new_order_yet(read):
    world = stale_world()
    before = read(world)
    world.buy("CRO_USD", 100, "0.04")
    assert read(world) == before
    world.tick(6)
    assert read(world) != before


def test_a_stale_answer_shows_a_finished_order_as_open_and_not_in_the_history():
    world = stale_world()
    order = world.buy("CRO_USD", 100, "0.04")
    client = world.client()
    client.balance()
    world.tick(6)
    client.balance()
    world.fill(order)
    assert client.order_detail(NameSpace.PLAIN, order_id=order.order_id).status == "ACTIVE"
    assert [each.order_id for each in client.open_orders(NameSpace.PLAIN)] == [order.order_id]
    assert client.order_history(NameSpace.PLAIN) == client.trades() == []
    world.tick(6)
    assert client.order_detail(NameSpace.PLAIN, order_id=order.order_id).status == "FILLED"
    assert len(client.trades()) == 1


def test_a_stale_list_shows_its_legs_as_they_were():
    world = World({"CRO": 100})
    world.faults.add("stale", age_s=5)
    leg = {"instrument_name": "CRO_USD", "side": "SELL", "quantity": "100"}
    legs = [leg | {"type": "LIMIT", "price": "0.05"}, leg | {"type": "STOP_LOSS", "ref_price": "0.045"}]
    list_id = world.send_manually("private/advanced/create-oco", order_list=legs)["list_id"]
    client = world.client()
    assert len(client.order_list_detail([list_id])) == 2
    world.tick(6)
    world.set_price("CRO_USD", "0.05")
    assert [each.status for each in client.order_list_detail([list_id])] == ["ACTIVE", "PENDING"]


def test_numbers_for_text_and_text_for_numbers_and_unknown_fields():
    world = World()
    world.buy("CRO_USD", 100, "0.04")
    for kind in ("strings", "numbers", "unknown_fields"):
        world.faults.add(kind, "private/get-open-orders")
    order = world.client().open_orders(NameSpace.PLAIN)[0]
    assert (order.quantity, order.limit_price, order.status) == (100, Decimal("0.04"), "ACTIVE")
    row = raw.post(world, "private/get-open-orders")[1]["result"]["data"][0]
    assert (row["quantity"], row["create_time"], "zz_new_field" in row) == (100, str(world.now_ms()), True)


def test_an_order_with_an_unknown_status_is_put_aside_as_it_came():
    world = World()
    world.buy("CRO_USD", 100, "0.04")
    world.faults.add("unknown_status", "private/get-open-orders")
    client = world.client()
    assert client.open_orders(NameSpace.PLAIN) == []
    (row,) = client.unreadable_rows
    assert "SUSPENDED" in row.raw


def test_a_refused_call_names_its_code_and_status():
    world = World()
    world.faults.add("refuse", "private/get-trades", code=42901)
    assert raw.post(world, "private/get-trades")[0] == 429
    assert raw.code(raw.post(world, "private/get-trades")) == 42901


def test_the_maintenance_answer_has_no_id():
    world = World()
    world.faults.add("maintenance")
    status, body = raw.post(world, "private/user-balance")
    assert (status, body) == (
        503,
        {"code": 9010001, "message": "SYSTEM_MAINTENANCE", "details": "we are back soon"},
    )


def test_a_dropped_line_is_a_connection_error():
    world = World()
    world.faults.add("process_then_drop")
    with pytest.raises(requests.ConnectionError):
        raw.post(world, "private/user-balance")


def test_every_kind_of_fault_can_be_set_by_the_control():
    world = World()
    for kind in KINDS:
        world.control("faults", kind=kind, method="public/none")
    assert [rule["kind"] for rule in world.control("faults")["rules"]] == list(KINDS)
    assert world.control("faults", clear=True)["rules"] == []
