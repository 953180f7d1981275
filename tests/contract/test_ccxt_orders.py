"""A client we did not write trades on the simulator: balance, orders, history, trades, refusals."""

from decimal import Decimal

import ccxt
import pytest


@pytest.fixture
def trader(ccxt_exchange, world):
    world.set_price("BTC_USD", "60000.00")
    ccxt_exchange.load_markets()
    return ccxt_exchange


def test_the_balance_is_what_the_account_holds(trader):
    balance = trader.fetch_balance()
    assert {name: balance[name]["total"] for name in ("USD", "BTC", "CRO")} == {
        "USD": 10_000.0,
        "BTC": 0.5,
        "CRO": 5_000.0,
    }


def test_the_account_is_a_master_account(trader, world):
    assert trader.fetch_accounts()[0]["id"] == world.exchange.account_uuid


def test_a_limit_order_from_placing_to_cancelling(trader, world):
    placed = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000, {"client_oid": "one"})
    order = world.order("one")
    assert (placed["id"], placed["clientOrderId"]) == (order.order_id, "one")

    (listed,) = trader.fetch_open_orders("BTC/USD")
    seen = (listed["id"], listed["status"], listed["side"], listed["type"], listed["price"], listed["amount"])
    assert seen == (order.order_id, "open", "buy", "limit", 50000.0, 0.01)
    assert trader.fetch_order(placed["id"], "BTC/USD")["status"] == "open"

    assert trader.cancel_order(placed["id"], "BTC/USD")["id"] == placed["id"]
    assert trader.fetch_open_orders("BTC/USD") == []
    assert trader.fetch_order(placed["id"], "BTC/USD")["status"] == "canceled"


def test_without_a_client_id_the_request_id_becomes_one(trader, world):
    trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)
    (order,) = world.open_orders()
    assert order.client_oid == str(world.clock_ms)


def test_a_market_order_fills_and_its_fee_is_in_the_base_token(trader, world):
    placed = trader.create_order("BTC/USD", "market", "buy", 0.01)
    order = trader.fetch_order(placed["id"], "BTC/USD")
    assert (order["status"], order["filled"], order["type"]) == ("closed", 0.01, "market")

    (trade,) = trader.fetch_my_trades("BTC/USD")
    assert (trade["order"], trade["side"], trade["takerOrMaker"]) == (placed["id"], "buy", "taker")
    assert (trade["fee"]["currency"], Decimal(str(trade["fee"]["cost"]))) == (
        "BTC",
        -world.exchange.trades.rows[0].fee,
    )
    assert trader.fetch_balance()["BTC"]["total"] == 0.5 + 0.01 - trade["fee"]["cost"]


def test_a_market_sell(trader):
    placed = trader.create_order("BTC/USD", "market", "sell", 0.02)
    assert trader.fetch_order(placed["id"], "BTC/USD")["filled"] == 0.02
    assert trader.fetch_my_trades("BTC/USD")[0]["fee"]["currency"] == "USD"


def test_a_limit_order_that_is_filled_in_parts(trader, world):
    placed = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)
    world.fill(placed["id"], "0.004")
    assert trader.fetch_order(placed["id"], "BTC/USD")["filled"] == 0.004
    world.set_price("BTC_USD", 49000)
    assert trader.fetch_order(placed["id"], "BTC/USD")["status"] == "closed"
    assert [trade["amount"] for trade in trader.fetch_my_trades("BTC/USD")] == [0.004, 0.006]


def test_order_history_holds_what_has_ended(trader, world):
    ids = [trader.create_order("BTC/USD", "market", "buy", 0.01)["id"]]
    world.tick(1)
    gone = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)["id"]
    world.tick(1)
    trader.cancel_order(gone, "BTC/USD")
    still = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)["id"]
    told = {order["id"]: order["status"] for order in trader.fetch_orders("BTC/USD")}
    assert told == {ids[0]: "closed", gone: "canceled"}
    assert still not in told


def test_pages_of_history(trader, world):
    for _ in range(5):
        trader.create_order("BTC/USD", "market", "buy", 0.001)
        world.tick(1)
    assert len(trader.fetch_orders("BTC/USD", limit=2)) == 2
    assert len(trader.fetch_my_trades("BTC/USD", since=world.clock_ms - 2500, limit=100)) == 2


def test_several_orders_at_once_and_all_cancelled(trader):
    rows = [
        {"symbol": "BTC/USD", "type": "limit", "side": "buy", "amount": 0.001, "price": price, "params": {}}
        for price in (50000, 51000)
    ]
    assert len(trader.create_orders(rows)) == 2
    assert len(trader.fetch_open_orders()) == 2
    trader.cancel_all_orders("BTC/USD")
    assert trader.fetch_open_orders() == []


def test_several_orders_are_cancelled_at_once(trader, world):
    ids = []
    for price in (50000, 51000):
        ids.append(trader.create_order("BTC/USD", "limit", "buy", 0.001, price)["id"])
        world.tick(1)
    trader.cancel_orders(ids, "BTC/USD")
    assert trader.fetch_open_orders() == []


def test_deposits_withdrawals_and_the_journal(trader, world):
    world.withdraw("USD", 100)
    (left,) = trader.fetch_withdrawals("USD")
    assert (left["currency"], left["amount"], left["status"]) == ("USD", 100.0, "ok")
    assert {(row["currency"], row["amount"]) for row in trader.fetch_deposits()} == {
        ("USD", 10_000.0),
        ("BTC", 0.5),
        ("CRO", 5_000.0),
    }
    ledger = trader.fetch_ledger("USD")
    assert {row["direction"] for row in ledger} == {"in", "out"}


def test_a_position_is_closed_on_derivatives_only(trader):
    with pytest.raises(ccxt.ExchangeError, match='"code":201'):
        trader.close_position("BTC/USD:USD")


def test_post_only_and_immediate_or_cancel(trader, world):
    placed = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000, {"postOnly": True})
    assert trader.fetch_order(placed["id"], "BTC/USD")["postOnly"] is True
    world.tick(1)
    hurried = trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000, {"timeInForce": "IOC"})
    assert trader.fetch_order(hurried["id"], "BTC/USD")["status"] == "canceled"


def test_fees_are_told(trader):
    fee = trader.fetch_trading_fee("BTC/USD")
    assert (fee["maker"], fee["taker"]) == (0.002425, 0.00485)
    assert trader.fetch_trading_fees()["BTC/USD"]["taker"] == 0.00485


def test_two_orders_of_one_millisecond_share_a_client_id_and_the_second_is_refused(trader):
    """ccxt's request id is the millisecond, and the request id is the default client id (dossier D9, 11.6)."""
    trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)
    with pytest.raises(ccxt.ExchangeError, match="204"):
        trader.create_order("BTC/USD", "limit", "buy", 0.01, 50000)


@pytest.mark.parametrize(
    "trigger",
    [
        {"triggerPrice": 55000},
        {"stopLossPrice": 55000},
        {"takeProfitPrice": 70000},
        {"stopPrice": 55000},
    ],
)
@pytest.mark.parametrize("kind", ["market", "limit"])
def test_its_trigger_orders_are_refused_at_the_old_address(trader, world, kind, trigger):
    """ccxt 4.5.90 still sends them to private/create-order (dossier 8); no order may come of it."""
    with pytest.raises(ccxt.ExchangeError, match="140001"):
        trader.create_order("BTC/USD", kind, "sell", 0.01, 54000, trigger)
    assert world.open_orders() == []


@pytest.mark.parametrize("code", [218, 40004])
def test_the_refusal_of_the_old_address_can_be_another(trader, world, code):
    world.set_behaviour(old_endpoint_trigger=code)
    with pytest.raises(ccxt.ExchangeError, match=f'"code":{code}'):
        trader.create_order("BTC/USD", "market", "sell", 0.01, None, {"triggerPrice": 55000})


def test_refusals_arrive_as_its_own_errors(trader, world):
    with pytest.raises(ccxt.InsufficientFunds):
        trader.create_order("BTC/USD", "limit", "buy", 1, 59000)
    world.tick(1)
    with pytest.raises(ccxt.InvalidOrder, match="415"):
        trader.create_order("BTC/USD", "limit", "buy", 0.00001, 50000)
    with pytest.raises(ccxt.ExchangeError, match="40401"):
        trader.fetch_order("123", "BTC/USD")
    with pytest.raises(ccxt.ExchangeError, match="316"):
        trader.cancel_order("123", "BTC/USD")


def test_a_wrong_secret_and_a_wrong_clock(trader, world):
    world.control("clock", skew_ms=120_000)
    with pytest.raises(ccxt.InvalidNonce):
        trader.fetch_balance()
    trader.secret = "another"
    with pytest.raises(ccxt.AuthenticationError):
        trader.fetch_balance()
