"""Recorded production stories, played again: the same figures must come out."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.simulator.world import World

RECORDED = Path(__file__).parents[2] / "fixtures" / "live-recorded"
OURS = ("account_id", "update_user_id", "order_id", "trade_id", "trade_match_id", "client_oid")
NOISE = Decimal("0.00000001")
SIXTEENTH_MS = 1_786_915_089_000
TIMES = ("create_time", "update_time", "create_time_ns", "transact_time_ns")


def events(name: str, method: str) -> list[dict[str, Any]]:
    story = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return [event for event in story["events"] if event.get("method") == method]


def alike(row: dict[str, Any]) -> dict[str, Any]:
    """Without ids and times, which are ours; their JSON types still count."""
    return {name: type(value) if name in OURS + TIMES else value for name, value in row.items()}


def market(behaviour: dict[str, Any] | None = None, **balances: str) -> World:
    """CRO_USD as it stood on that day: bid 0.05474, ask 0.05475, fee 46 basis points."""
    world = World(balances, **(behaviour or {}))
    world.set_price("CRO_USD", "0.05474")
    world.set_fees(46, 46)
    return world


def held(row: dict[str, Any], currency: str) -> dict[str, Any]:
    return next(each for each in row["position_balances"] if each["instrument_name"] == currency)


def test_the_notional_buy_and_the_sale_after_it():
    name = "spot-market-notional-buy-then-sell-2026-08-01"
    world = market(USD="18.02103432", CRO="30")
    for event in events(name, "private/create-order"):
        world.tick(0.8)
        world.send_manually(
            "private/create-order", client_oid=event["result"]["client_oid"], **event["params"]
        )
    for event in events(name, "private/get-order-detail"):
        mine = world.send_manually("private/get-order-detail", client_oid=event["result"]["client_oid"])
        assert alike(mine) == alike(event["result"])
        assert list(mine) == list(event["result"])
    trades = events(name, "private/get-trades")[0]
    mine = world.send_manually("private/get-trades", **trades["params"])["data"]
    assert [alike(row) for row in mine] == [alike(row) for row in trades["result.data"]]
    assert world.balance("USD") == Decimal("18.556670508")
    assert world.balance("CRO") == 20


def test_four_limits_and_cancel_all():
    name = "spot-four-limits-cancel-all-2026-08-01"
    world = market(USD="18.02103432", CRO="30")
    for event in events(name, "private/create-order"):
        world.send_manually(
            "private/create-order", client_oid=event["result"]["client_oid"], **event["params"]
        )
    for event in events(name, "private/get-order-detail"):
        mine = world.send_manually("private/get-order-detail", client_oid=event["result"]["client_oid"])
        assert alike(mine) == alike(event["result"])
    opened = events(name, "private/get-open-orders")[0]["result.data"]
    mine = world.send_manually("private/get-open-orders", instrument_name="CRO_USD")["data"]
    assert sorted(row["limit_price"] for row in mine) == sorted(row["limit_price"] for row in opened)
    assert [list(row) for row in mine] == [list(row) for row in opened]
    compare_balance(world, events(name, "private/user-balance")[0]["result.data"][0])
    assert world.send_manually("private/cancel-all-orders", instrument_name="CRO_USD") == {}
    assert world.send_manually("private/get-open-orders") == {"data": []}


def compare_balance(world: World, recorded: dict[str, Any]) -> None:
    """The recording was taken while the reservation still showed; 1e-8 is the recorded rounding noise."""
    mine = world.send_manually("private/user-balance")["data"][0]
    assert mine.keys() == recorded.keys()
    assert {type(mine[name]) for name in mine} == {type(recorded[name]) for name in recorded}
    usd, theirs = held(mine, "USD"), held(recorded, "USD")
    assert usd.keys() == theirs.keys()
    assert (usd["quantity"], usd["reserved_qty"]) == (theirs["quantity"], theirs["reserved_qty"])
    for figure in ("max_withdrawal_balance", "market_value", "collateral_amount"):
        assert Decimal(usd[figure]) == pytest.approx(Decimal(theirs[figure]), abs=NOISE)
    cash, margin = Decimal(mine["total_cash_balance"]), Decimal(mine["total_margin_balance"])
    locked = Decimal(recorded["total_cash_balance"]) - Decimal(recorded["total_margin_balance"])
    assert cash - margin == pytest.approx(locked, abs=NOISE)
    assert mine["terminatable"] is recorded["terminatable"] is False


@pytest.mark.parametrize(
    "name", ["spot-amend-price-and-quantity-2026-08-16", "spot-amend-price-only-stale-balance-2026-08-16"]
)
def test_amending_a_resting_order(name):
    world = World({"USD": "9.677146618", "CRO": "199"}, start_ms=SIXTEENTH_MS)
    create, amend = events(name, "private/create-order")[0], events(name, "private/amend-order")[0]
    before, after = (event["result"] for event in events(name, "private/get-order-detail"))
    order_id = world.send_manually("private/create-order", **create["params"])["order_id"]
    assert alike(world.send_manually("private/get-order-detail", order_id=order_id)) == alike(before)
    world.tick((after["update_time"] - after["create_time"]) / 1000)
    assert (
        world.send_manually("private/amend-order", **amend["params"])["client_oid"]
        == amend["result"]["client_oid"]
    )
    mine = world.send_manually("private/get-order-detail", order_id=order_id)
    assert alike(mine) == alike(after)
    assert mine["update_time"] - mine["create_time"] == after["update_time"] - after["create_time"]


def test_cancel_by_client_id_and_the_history_after_it():
    name = "spot-limit-create-cancel-by-client-oid-2026-08-16"
    world = World({"USD": "9.677146618", "CRO": "199"}, start_ms=SIXTEENTH_MS)
    for event in events(name, "private/create-order"):
        world.send_manually("private/create-order", **event["params"])
    for event in events(name, "private/cancel-order"):
        world.tick(0.4)
        answer = world.send_manually("private/cancel-order", **event["params"])
        assert answer["client_oid"] == event["result"]["client_oid"]
    recorded = events(name, "private/get-order-history")[0]
    mine = world.send_manually("private/get-order-history", **recorded["params"])["data"]
    rows = recorded["result.data"]
    assert [row["client_oid"] for row in mine][: len(rows)] == [row["client_oid"] for row in rows]
    assert [alike(row) for row in mine][: len(rows)] == [alike(row) for row in rows]


def test_a_loop_that_believes_a_lagging_balance_buys_too_often():
    """Recorded: eleven buys of 29 CRO where one was meant."""
    world = market(USD="18.18176564", CRO="30")
    world.set_price("CRO_USD", "0.05472")
    world.faults.add("stale", "private/user-balance", age_s=2)
    client = world.client()
    for _ in range(3):
        owned = next(each for each in client.balance().positions if each.instrument_name == "CRO")
        assert owned.quantity == 30
        world.send_manually(
            "private/create-order",
            instrument_name="CRO_USD",
            side="BUY",
            type="MARKET",
            fee_instrument_name="USD",
            notional="1.64160",
        )
        world.tick(0.5)
    assert world.balance("CRO") == 30 + 3 * 29
