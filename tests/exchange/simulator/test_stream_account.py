"""What the user stream shows of the account: first messages, then every change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.exchange.simulator.streams import Streams, streams_of
from tests.exchange.simulator.world import World

PERPETUAL = "BTCUSD-PERP"


@pytest.fixture
def world() -> World:
    world = World({"USD": 10_000, "BTC": "0.5"})
    world.set_price("BTC_USD", 60_000)
    return world


@pytest.fixture
def streams(world: World) -> Iterator[Streams]:
    with streams_of(world) as streams:
        yield streams


def test_the_first_message_of_orders_is_what_is_open(world: World, streams: Streams) -> None:
    order = world.buy("BTC_USD", "0.01", 50_000)
    with streams.user() as stream:
        mine, others, everything = stream.subscribe("user.order.BTC_USD", "user.order.ETH_USD", "user.order")
    assert [row["order_id"] for row in mine["result"]["data"]] == [order.order_id]
    assert (mine["code"], mine["method"]) == (0, "subscribe")
    assert mine["result"]["channel"] == mine["result"]["subscription"] == "user.order.BTC_USD"
    assert "instrument_name" not in mine["result"]
    assert others["result"]["data"] == []
    assert len(everything["result"]["data"]) == 1


def test_an_order_is_shown_from_placing_to_its_end(world: World, streams: Streams) -> None:
    with streams.user("user.order") as stream:
        order = world.buy("BTC_USD", "0.01", 50_000)
        placed = stream.receive()
        world.fill(order, "0.004")
        partly = stream.receive()
        world.fill(order)
        filled = stream.receive()
    assert placed["id"] == -1
    assert placed["result"]["subscription"] == placed["result"]["channel"] == "user.order"
    assert placed["result"]["instrument_name"] == "BTC_USD"
    rows = [message["result"]["data"] for message in (placed, partly, filled)]
    seen = [(row["order_id"], row["status"], Decimal(row["cumulative_quantity"])) for (row,) in rows]
    assert seen == [
        (order.order_id, "ACTIVE", Decimal(0)),
        (order.order_id, "ACTIVE", Decimal("0.004")),
        (order.order_id, "FILLED", Decimal("0.01")),
    ]


def test_a_market_order_is_one_message_with_the_recorded_fields(world: World, streams: Streams) -> None:
    """live-recorded/spot-market-notional-buy-then-sell-2026-08-01."""
    with streams.user("user.order.BTC_USD", "user.trade") as stream:
        world.send_manually(
            "private/create-order", instrument_name="BTC_USD", side="BUY", type="MARKET", notional="100"
        )
        first, second = stream.receive(), stream.receive()
    assert [message["result"]["channel"] for message in (first, second)] == ["user.order", "user.trade"]
    (row,) = first["result"]["data"]
    assert set(row) == {
        *("account_id", "client_oid", "instrument_name", "fee_instrument_name", "order_type"),
        *("time_in_force", "side", "exec_inst", "quantity", "ref_price", "order_value", "maker_fee_rate"),
        *("taker_fee_rate", "create_time", "create_time_ns", "order_date", "order_id", "avg_price"),
        *("cumulative_quantity", "cumulative_value", "cumulative_fee", "status", "update_user_id"),
        *("update_time", "transaction_time_ns"),
    }
    assert isinstance(row["transaction_time_ns"], int)
    assert row["transaction_time_ns"] > 2**53
    assert (row["status"], row["exec_inst"]) == ("CANCELED", ["NOTIONAL_ORDER"])


def test_a_trade_is_the_rest_row_with_another_name_for_its_time(world: World, streams: Streams) -> None:
    with streams.user() as stream:
        (answer,) = stream.subscribe("user.trade.BTC_USD")
        assert answer == {
            "id": answer["id"],
            "method": "subscribe",
            "code": 0,
            "channel": "user.trade.BTC_USD",
        }
        world.buy("BTC_USD", "0.01")
        result = stream.receive()["result"]
    (rest,) = world.send_manually("private/get-trades")["data"]
    (row,) = result["data"]
    assert row == {name: value for name, value in rest.items() if name != "transact_time_ns"} | {
        "transaction_time": rest["transact_time_ns"]
    }
    assert (result["channel"], result["subscription"]) == ("user.trade", "user.trade.BTC_USD")


def test_the_balance_comes_first_and_after_every_change(world: World, streams: Streams) -> None:
    """live-recorded/ws-user-balance-2026-08-01."""
    with streams.user() as stream:
        (first,) = stream.subscribe("user.balance")
        world.deposit("USD", 5)
        deposited = stream.receive()["result"]
        order = world.buy("BTC_USD", "0.01", 50_000)
        reserved = stream.receive()["result"]
        world.cancel(order)
        released = stream.receive()["result"]
    (before,), (after,) = first["result"]["data"], deposited["data"]
    assert "account_id" not in first["result"]
    assert deposited["account_id"] == world.exchange.account_uuid
    assert Decimal(after["total_cash_balance"]) - Decimal(before["total_cash_balance"]) == 5
    assert "terminatable" not in after
    free = [
        Decimal(result["data"][0]["total_available_balance"]) for result in (deposited, reserved, released)
    ]
    assert free[0] - free[1] == 500
    assert free[2] == free[0]


def test_advanced_orders_have_their_own_channel_in_both_spellings(world: World, streams: Streams) -> None:
    with streams.user("user.advance.order", "user.advanced.order.BTC_USD", "user.order") as stream:
        order_id = world.send_manually(
            "private/advanced/create-order",
            instrument_name="BTC_USD",
            side="SELL",
            type="STOP_LOSS",
            quantity="0.01",
            ref_price="50000",
        )["order_id"]
        one, other = stream.results("user.advance.order", "user.advanced.order.BTC_USD")
        assert [each["data"][0]["order_id"] for each in (one, other)] == [order_id, order_id]
        assert [each["data"][0]["status"] for each in (one, other)] == ["PENDING", "PENDING"]
        assert other["channel"] == "user.advanced.order"
        world.set_price("BTC_USD", 49_000)
        (fired,) = stream.results("user.advance.order")
    assert fired["data"][0]["status"] == "FILLED"
    assert fired["data"][0]["exchange_order_id"]


def test_both_legs_of_a_pair_are_shown_when_one_executes(world: World, streams: Streams) -> None:
    leg = {"instrument_name": "BTC_USD", "side": "SELL", "quantity": "0.01"}
    with streams.user("user.advance.order", "user.trade") as stream:
        world.send_manually(
            "private/advanced/create-oco",
            order_list=[
                leg | {"type": "LIMIT", "price": "70000", "client_oid": "high"},
                leg | {"type": "STOP_LOSS", "ref_price": "50000", "client_oid": "low"},
            ],
        )
        assert {stream.receive()["result"]["data"][0]["client_oid"] for _ in range(2)} == {"high", "low"}
        world.set_price("BTC_USD", 49_000)
        messages = [stream.receive()["result"] for _ in range(3)]
    ends = {
        result["data"][0]["client_oid"]: result["data"][0]["status"]
        for result in messages
        if result["channel"] == "user.advance.order"
    }
    assert ends == {"high": "CANCELED", "low": "FILLED"}
    assert messages[-1]["channel"] == "user.trade"


def test_what_happens_in_between_is_shown_without_any_request(world: World, streams: Streams) -> None:
    """A stop that a moving price reaches: no call and no control touches the exchange."""
    world.send_manually(
        "private/advanced/create-order",
        instrument_name="BTC_USD",
        side="SELL",
        type="STOP_LOSS",
        quantity="0.01",
        ref_price="50000",
    )
    with streams.user("user.trade") as stream:
        with world.exchange.lock:
            world.exchange.prices.set_price("BTC_USD", world.clock_ms + 500, Decimal(49_000))
        world.clock_ms += 1000
        assert stream.receive()["result"]["channel"] == "user.trade"


def test_an_order_that_cannot_be_read_yet_is_not_shown_yet(world: World, streams: Streams) -> None:
    world.set_behaviour(ack_delay_ms=2000)
    with streams.user("user.order") as stream:
        order = world.buy("BTC_USD", "0.01", 50_000)
        with pytest.raises(TimeoutError):
            stream.receive(timeout=0.1)
        world.tick(3)
        assert stream.receive()["result"]["data"][0]["order_id"] == order.order_id


def test_an_amended_order_is_shown_with_its_new_client_id(world: World, streams: Streams) -> None:
    with streams.user("user.order") as stream:
        order = world.buy("BTC_USD", "0.01", 50_000)
        stream.receive()
        world.send_manually(
            "private/amend-order",
            order_id=order.order_id,
            new_price="51000",
            new_quantity="0.01",
            client_oid="new",
        )
        (row,) = stream.receive()["result"]["data"]
    assert (Decimal(row["limit_price"]), row["client_oid"]) == (51_000, "new")


def test_the_journal_shows_trades_and_deposits(world: World, streams: Streams) -> None:
    with streams.user("user.transactions") as stream:
        world.deposit("CRO", 7)
        (deposit,) = stream.receive()["result"]["data"]
        world.buy("BTC_USD", "0.01")
        trade = stream.receive()["result"]["data"]
    assert (deposit["journal_type"], deposit["instrument_name"]) == ("ONCHAIN_DEPOSIT", "CRO")
    assert [row["journal_type"] for row in trade] == ["TRADING", "TRADING", "TRADE_FEE"]


def test_positions_are_always_all_of_them(world: World, streams: Streams) -> None:
    with streams.user() as stream:
        (first,) = stream.subscribe("user.positions")
        assert first["result"]["data"] == []
        world.control("position", instrument_name=PERPETUAL, quantity="-0.2", entry_price="60000")
        (short,) = stream.receive()["result"]["data"]
    assert (short["instrument_name"], short["quantity"]) == (PERPETUAL, "-0.2")
    assert Decimal(short["liquidation_price"]) > 60_000
    assert Decimal(short["mark_price"]) > 0


def test_the_risk_of_the_account_repeats_by_itself(world: World, streams: Streams) -> None:
    streams.options(account_risk_s=0.05)
    with streams.user("user.account_risk") as stream:
        rows = [stream.receive()["result"]["data"][0] for _ in range(2)]
    assert rows[0] == rows[1]
    assert {row["instrument_name"] for row in rows[0]["balances"]} == {"USD", "BTC"}
    assert "position_balances" not in rows[0]


def test_quantities_alone_come_only_when_they_move(world: World, streams: Streams) -> None:
    with streams.user("user.position_balance") as stream:
        world.buy("BTC_USD", "0.01", 50_000)
        world.deposit("USD", 1)
        (row,) = stream.receive()["result"]["data"]
    assert {each["instrument_name"]: each["quantity"] for each in row["balances"]} == {
        "USD": "10001",
        "BTC": "0.5",
    }


def test_executions_can_come_before_their_order(world: World, streams: Streams) -> None:
    streams.options(event_order="trade_first")
    with streams.user("user.order", "user.trade") as stream:
        world.buy("BTC_USD", "0.01")
        assert [stream.receive()["result"]["channel"] for _ in range(2)] == ["user.trade", "user.order"]
