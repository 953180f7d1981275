"""What no order, trade, price or time can be is refused by name, before anything else sees it."""

from decimal import Decimal

import pytest

from exchange.schemas import Candle, Instrument, NameSpace, Order, PricePoint, Ticker, Trade, Valuation
from tests.exchange.replay import ORDER, TRADE

CANDLE = {"t": 1785587305885, "o": "1", "h": "2", "l": "1", "c": "1.5", "v": "0"}
TICKER = {"i": "CRO_USD", "t": 1785587305885, "a": "1", "b": "1", "k": "1"}
OLD_MS, FAR_MS = 1_000_000_000_000, 10**13


def order(**changes):
    return Order.from_row(ORDER | {"quantity": "0.05", "order_type": "LIMIT"} | changes, NameSpace.PLAIN)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"cumulative_quantity": "0.1"}, "cumulative_quantity is more than was ordered"),
        ({"cumulative_quantity": "-0.01"}, "cumulative_quantity is below zero"),
        ({"cumulative_quantity": "1e28"}, "cumulative_quantity is not a usable number"),
        ({"cumulative_quantity": "1e59"}, "cumulative_quantity is not a usable number"),
        ({"cumulative_quantity": "1e-59"}, "cumulative_quantity is not a usable number"),
        ({"order_type": "MARKET", "side": "SELL", "cumulative_quantity": "0.1"}, "more than was ordered"),
        ({"quantity": "-0.05"}, "quantity is below zero"),
        ({"quantity": "1e18"}, "quantity is not a usable number"),
        ({"limit_price": "-1"}, "limit_price is not positive"),
        ({"limit_price": "1e12"}, "limit_price is no price"),
        ({"ref_price": "-1"}, "ref_price is not positive"),
        ({"avg_price": "-1"}, "avg_price is not positive"),
        ({"cumulative_value": "-1"}, "cumulative_value is below zero"),
        ({"status": "SUSPENDED"}, "status is not a known word"),
        ({"status": "FILLED", "cumulative_quantity": "0"}, "cumulative_quantity is nothing, although"),
        ({"side": "HOLD"}, "side is not a known word"),
        ({"create_time": OLD_MS}, "create_time is not a time"),
        ({"update_time": FAR_MS}, "update_time is not a time"),
        ({"create_time": None, "create_time_ns": "5"}, "create_time_ns is not a time"),
        ({"create_time_ns": "5"}, "create_time_ns is not a time"),
        ({"create_time_ns": str(2**63 - 1)}, "create_time_ns is not a time"),
        ({"create_time_ns": str(2**63)}, "create_time_ns is not a usable number"),
        ({"create_time_ns": 2**63}, "create_time_ns is not a usable number"),
    ],
)
def test_an_order_that_cannot_be_is_refused(changes, named):
    with pytest.raises(ValueError, match=rf"^field .*{named}"):
        order(**changes)


def test_a_market_buy_may_execute_more_than_the_quantity_that_was_estimated():
    found = order(order_type="MARKET", side="BUY", quantity="17", cumulative_quantity="18", status="CANCELED")
    assert found.cumulative_quantity == 18


@pytest.mark.parametrize(
    "changes",
    [
        {"traded_quantity": "0"},
        {"traded_quantity": "-1"},
        {"traded_quantity": "1e28"},
        {"traded_price": "0"},
        {"traded_price": "-0.05"},
        {"traded_price": "1e13"},
        {"fees": "1e18"},
        {"side": "?"},
        {"create_time": OLD_MS},
        {"create_time_ns": "9999999999999999999"},
        {"create_time_ns": str(2**63 - 1)},
        {"create_time_ns": 1},
        {"transact_time_ns": 2**63},
        {"match_index": str(2**63)},
    ],
)
def test_a_trade_that_cannot_be_is_refused(changes):
    (name,) = changes
    with pytest.raises(ValueError, match=rf"^field {name} is "):
        Trade.from_row(TRADE | changes)


@pytest.mark.parametrize(
    ("fee", "currency", "is_possible"),
    [
        ("-0.02", "CRO", True),
        ("0.02", "CRO", True),
        ("0.021", "CRO", False),
        ("-0.021", "CRO", False),
        ("-2", "USD", True),
        ("2", "USD", True),
        ("-2.1", "USD", False),
        ("-1000000", "BTC", True),
        ("-3000000", "BTC", False),
        ("-3000000", "", False),
    ],
)
def test_no_fee_and_no_rebate_is_more_than_was_traded(fee, currency, is_possible):
    row = TRADE | {"instrument_name": "CRO_USD", "traded_quantity": "0.02", "traded_price": "100"}
    row |= {"fees": fee, "fee_instrument_name": currency}
    if is_possible:
        assert Trade.from_row(row).fee == Decimal(fee)
        return
    with pytest.raises(ValueError, match="field fees is more than was traded"):
        Trade.from_row(row)


@pytest.mark.parametrize("changes", [{"a": "-1"}, {"b": "-0.1"}, {"k": "1e13"}, {"v": "-5"}, {"h": "1e59"}])
def test_a_ticker_that_cannot_be_is_refused(changes):
    (name,) = changes
    with pytest.raises(ValueError, match=rf"^field {name} is "):
        Ticker.from_row(TICKER | changes)


@pytest.mark.parametrize("nothing", ["0", "0.000", 0, Decimal("0.0"), None, ""])
def test_a_price_of_zero_in_a_ticker_is_no_price(nothing):
    found = Ticker.from_row(TICKER | {"a": nothing, "b": nothing})
    assert (found.last, found.bid, found.ask) == (None, None, 1)


@pytest.mark.parametrize("changes", [{"o": "0"}, {"c": "-1"}, {"h": "0.5"}, {"v": "-1"}, {"l": "1e30"}])
def test_a_candle_that_cannot_be_is_refused(changes):
    with pytest.raises(ValueError, match=r"^field [ohlcv] is "):
        Candle.from_row(CANDLE | changes)


@pytest.mark.parametrize("value", ["0", "-1", "1e12"])
def test_a_mark_price_is_positive_and_a_funding_rate_need_not_be(value):
    row = {"v": value, "t": 1785587305885}
    assert Valuation.from_row(row).value == Decimal(value)
    with pytest.raises(ValueError, match=r"^field v is "):
        PricePoint.from_row(row)


@pytest.mark.parametrize("tick", ["0", "-1", "1e12", "1e-41"])
def test_a_grid_is_positive_and_within_reason(tick):
    with pytest.raises(ValueError, match=r"^field qty_tick_size is "):
        Instrument.from_row({"symbol": "X_USD", "price_tick_size": "0.1", "qty_tick_size": tick})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({}, ""),
        ({"symbol": "SHIB_BTC@OEX_HK", "base_ccy": "SHIB"}, ""),
        ({"inst_type": "FUTURE", "symbol": "ETHUSD-260828", "base_ccy": ""}, ""),
        ({"inst_type": ""}, "inst_type is empty"),
        ({"base_ccy": ""}, "base_ccy is not what the symbol says"),
        ({"base_ccy": "BTC"}, "base_ccy is not what the symbol says"),
        ({"quote_ccy": ""}, "quote_ccy is not what the symbol says"),
        ({"quote_ccy": "USD"}, "quote_ccy is not what the symbol says"),
        ({"symbol": "ETHBTC"}, "base_ccy is not what the symbol says"),
    ],
)
def test_a_spot_pair_is_named_after_its_currencies(changes, named):
    row = {"inst_type": "CCY_PAIR", "symbol": "ETH_BTC", "base_ccy": "ETH", "quote_ccy": "BTC"}
    row |= {"price_tick_size": "0.1", "qty_tick_size": "1"} | changes
    if not named:
        assert Instrument.from_row(row).symbol == row["symbol"]
        return
    with pytest.raises(ValueError, match=rf"^field {named}$"):
        Instrument.from_row(row)


@pytest.mark.parametrize("written", ["²", "--5", "9" * 5000, "1_0"])
def test_a_reason_that_is_no_code_stays_a_text(written):
    assert order(reason=written).reason is None
