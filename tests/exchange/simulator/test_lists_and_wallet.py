"""Lists of orders, the journal of the account, and what other clients ask for."""

from decimal import Decimal as D

import pytest

from exchange.simulator.config import Refusal
from exchange.simulator.exchange import Exchange
from tests.exchange.simulator import raw
from tests.exchange.simulator.world import World

LIMIT = {"instrument_name": "CRO_USD", "side": "BUY", "type": "LIMIT", "price": "0.04", "quantity": "100"}
STOP = {"instrument_name": "CRO_USD", "side": "SELL", "type": "STOP_LOSS", "quantity": "50"}


def test_several_orders_are_cancelled_each_with_its_outcome():
    world = World()
    orders = [world.buy("CRO_USD", 100, "0.04"), world.buy("CRO_USD", 100, "0.041")]
    rows = [
        {"order_id": orders[0].order_id},
        {"order_id": "1"},
        {"instrument_name": "CRO_USD", "client_oid": orders[1].client_oid},
    ]
    answer = world.send_manually("private/cancel-order-list", contingency_type="LIST", order_list=rows)
    assert [(row["index"], row["code"]) for row in answer] == [(0, 0), (1, 316), (2, 0)]
    assert [order.status for order in orders] == ["CANCELED", "CANCELED"]
    with pytest.raises(Refusal, match="40004"):
        world.send_manually("private/cancel-order-list", contingency_type="LIST", order_list=[])


def test_trigger_orders_in_a_list_are_not_linked():
    world = World({"CRO": 1000})
    world.set_price("CRO_USD", "0.05")
    rows = [STOP | {"ref_price": price, "client_oid": price} for price in ("0.04", "0.03")]
    answer = world.send_manually("private/advanced/create-order-list", order_list=rows)
    assert [(row["code"], row["client_oid"]) for row in answer] == [(0, "0.04"), (0, "0.03")]
    world.set_price("CRO_USD", "0.039")
    assert [world.order(name).status for name in ("0.04", "0.03")] == ["FILLED", "PENDING"]
    ids = [{"client_oid": "0.03"}, {"client_oid": "0.04"}]
    answer = world.send_manually("private/advanced/cancel-order-list", order_list=ids)
    assert [row["code"] for row in answer] == [0, 316]


@pytest.mark.parametrize(("name", "code"), [("BTC_USD", 201), ("BTCUSD-PERP", 201), ("NO_SUCH", 209)])
def test_a_spot_pair_has_no_position_to_close(name, code):
    with pytest.raises(Refusal, match=str(code)):
        World().send_manually("private/close-position", instrument_name=name, type="MARKET")


@pytest.fixture
def moved():
    """10,000 USD came in, 0.01 BTC was bought, 1,000 USD left."""
    world = World()
    world.tick(60)
    world.buy("BTC_USD", "0.01")
    world.tick(60)
    world.withdraw("USD", 1_000)
    world.tick(60)
    return world


def test_deposits_and_withdrawals_are_read_apart(moved):
    (came,) = moved.send_manually("private/get-deposit-history")["deposit_list"]
    (left,) = moved.send_manually("private/get-withdrawal-history", currency="USD")["withdrawal_list"]
    assert (came["currency"], came["amount"], came["status"]) == ("USD", 10_000.0, "1")
    assert (left["currency"], left["amount"], left["status"]) == ("USD", 1_000.0, "5")
    assert moved.send_manually("private/get-deposit-history", currency="BTC") == {"deposit_list": []}
    late = {"start_ts": moved.now_ms() - 90_000}
    assert moved.send_manually("private/get-deposit-history", **late) == {"deposit_list": []}
    assert moved.send_manually("private/get-withdrawal-history", **late)["withdrawal_list"] == [left]


def test_a_key_without_the_right_cannot_read_them(moved):
    moved.set_behaviour(wallet_history="refused")
    with pytest.raises(Refusal, match="40101"):
        moved.send_manually("private/get-deposit-history")


def test_the_journal_adds_up_to_the_balances(moved):
    rows = moved.send_manually("private/get-transactions")["data"]
    kinds = [row["journal_type"] for row in rows]
    assert sorted(kinds) == ["ONCHAIN_DEPOSIT", "ONCHAIN_WITHDRAWAL", "TRADE_FEE", "TRADING", "TRADING"]
    assert len({row["journal_id"] for row in rows}) == len(rows)
    for currency in ("USD", "BTC"):
        total = sum(D(row["transaction_qty"]) for row in rows if row["instrument_name"] == currency)
        assert total == moved.balance(currency)
    only = moved.send_manually("private/get-transactions", journal_type="TRADING", instrument_name="BTC")
    assert [row["side"] for row in only["data"]] == ["BUY"]
    assert len(moved.send_manually("private/get-transactions", limit=2)["data"]) == 2


def test_the_journal_is_saved(moved):
    rows = moved.send_manually("private/get-transactions")
    saved = moved.exchange.to_state()
    moved.exchange = Exchange.from_state(saved, prices=moved.prices, now_ms=moved.now_ms)
    assert moved.send_manually("private/get-transactions") == rows
    del saved["transfers"]  # a file of 0.1.0
    moved.exchange = Exchange.from_state(saved, prices=moved.prices, now_ms=moved.now_ms)
    assert len(moved.send_manually("private/get-transactions")["data"]) == 3


def test_limits_on_orders_and_no_sub_accounts():
    world = World()
    status, answer = raw.get(world, "public/get-risk-parameters")
    rows = {row["instrument_name"]: row for row in answer["result"]["base_currency_config"]}
    assert status == 200
    assert rows["BTC"]["min_order_notional_usd"] == "1.0"
    assert world.send_manually("private/get-subaccount-balances") == {"data": []}


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000])
def test_a_time_is_told_by_its_size(unit):
    """ccxt sends microseconds, the documentation milliseconds or nanoseconds."""
    world = World()
    query = {"instrument_name": "BTC_USD", "timeframe": "1h", "count": "2"}
    _, answer = raw.get(world, "public/get-candlestick", end_ts=str(world.now_ms() * unit), **query)
    assert 0 <= world.now_ms() - answer["result"]["data"][-1]["t"] < 3_600_000
