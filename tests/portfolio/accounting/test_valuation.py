"""What a holding is worth; what nobody knows is None and never zero."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.schemas import PositionBalance, Ticker
from portfolio.accounting.valuation import Valuation, price_usd, prices_from_tickers, value_position

D = Decimal


def position(currency="BTC", quantity="2", *, free=None, value=None):
    return PositionBalance.from_row(
        {
            "instrument_name": currency,
            "quantity": quantity,
            "max_withdrawal_balance": free,
            "market_value": value,
        }
    )


def ticker(name="BTC_USD", *, last=None, bid=None, ask=None):
    return Ticker.from_row({"i": name, "a": last, "b": bid, "k": ask, "t": 1_700_000_000_000})


def test_a_dollar_is_a_dollar_without_any_price():
    assert price_usd("USD", {}) == 1
    assert value_position(position("USD", "3113.50747209"), {}) == Valuation(D(1), D("3113.50747209"))


def test_dollars_locked_by_open_buys_still_count():
    """Recorded: an open buy lowers `market_value` of USD, but not what is owned."""
    locked = position("USD", "18.02103432", free="13.92243432", value="13.92243432")
    assert value_position(locked, {}).market_value_usd == D("18.02103432")


def test_a_coin_is_priced_by_its_dollar_pair_first():
    assert price_usd("BTC", {"BTC_USD": D(60_000), "BTC_USDT": D(1)}) == 60_000


@pytest.mark.parametrize("bridge", ["USDT", "USDC", "EUR"])
def test_else_through_a_bridge(bridge):
    assert price_usd("ABC", {f"ABC_{bridge}": D(3), f"{bridge}_USD": D("1.1")}) == D("3.3")


def test_a_pair_the_other_way_round_serves_as_well():
    assert price_usd("CAD", {"USD_CAD": D(4)}) == D("0.25")


def test_no_way_to_dollars_is_no_price():
    assert price_usd("XYZ", {"XYZ_BTC": D(1), "BTC_USD": D(2)}) is None
    assert price_usd("ABC", {"ABC_USDT": D(3)}) is None


def test_the_exchanges_own_value_counts_while_everything_is_free():
    free = position(quantity="24422.72427884", free="24422.72427884", value="4776.107959969951")
    assert value_position(free, {"BTC_USD": D("0.2")}) == Valuation(D("0.2"), D("4776.107959969951"))


def test_a_free_balance_has_fewer_digits_than_the_quantity():
    """`max_withdrawal_balance` has eight decimals and `quantity` up to fourteen: that is not a reservation."""
    assert value_position(
        position(quantity="1.00000000999999", free="1.00000000", value="7"), {}
    ) == Valuation(D(7) / D("1.00000000999999"), D(7))


def test_with_something_reserved_quantity_times_price_counts():
    assert value_position(position(free="1", value="30000"), {"BTC_USD": D(60_000)}) == Valuation(
        D(60_000), D("120000.00000000")
    )


def test_reserved_and_without_a_price_is_not_known():
    """The exchange's value speaks of the free half only; half is not shown as the whole."""
    assert value_position(position(free="1", value="30000"), {}) == Valuation(None, None)
    assert value_position(position(value=None), {}) == Valuation(None, None)


def test_none_of_a_coin_is_worth_nothing_even_without_a_price():
    assert value_position(position(quantity="0"), {}) == Valuation(None, D(0))


def test_a_debt_counts_against_the_account():
    assert value_position(position(quantity="-2", free="0"), {"BTC_USD": D(10)}).market_value_usd == -20


def test_prices_are_the_last_ones_else_the_middle():
    found = prices_from_tickers(
        {
            "A_USD": ticker(last="3", bid="1", ask="2"),
            "B_USD": ticker(bid="1", ask="2"),
            "C_USD": ticker(bid="1"),
            "D_USD": ticker(last="0"),
        }
    )
    assert found == {"A_USD": D(3), "B_USD": D("1.5")}


@given(
    quantity=st.decimals(
        allow_nan=False, allow_infinity=False, min_value=D("1E-14"), max_value=D(10) ** 17, places=20
    ),
    price=st.decimals(allow_nan=False, allow_infinity=False, min_value=D("1E-12"), max_value=D(10) ** 12),
)
def test_any_quantity_times_any_price_is_near_the_truth(quantity, price):
    value = value_position(position(quantity=str(quantity)), {"BTC_USD": price}).market_value_usd
    assert abs(value - quantity * price) <= max(D("0.00000001"), quantity * price / 10**20)
