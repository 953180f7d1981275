"""What a coin cost on average: fees, foreign quotes, coins without a purchase; and never more than was traded."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.accounting.cost_basis import (
    EMPTY,
    TOLERANCE,
    Change,
    Fill,
    Stock,
    apply_change,
    compute_changes,
    spot_pair,
)

CASH = ("USD", "USDT", "USDC", "EUR")


def fill(side="BUY", quantity="1", price="100", fee="0", paid_in="USD", name="SOL_USD", rate=None, **changes):
    return Fill(
        instrument_name=name,
        side=side,
        quantity=D(quantity),
        price=D(price),
        fee=D(fee),
        fee_currency=paid_in,
        quote_usd=None if rate is None else D(rate),
        **changes,
    )


def story(*fills, coin="SOL"):
    """The stock after these fills, and what each sale gained."""
    stock, gains = EMPTY, []
    for one in fills:
        for change in compute_changes(one, cash=CASH):
            if change.currency == coin:
                stock, gain = apply_change(stock, change)
                gains += [gain] if change.is_sale else []
    return stock, gains


def test_two_purchases_cost_their_average():
    stock, _ = story(fill(price="100"), fill(price="200"))
    assert (stock.quantity, stock.cost, stock.average) == (2, 300, 150)


def test_a_fee_in_dollars_makes_the_coins_dearer():
    stock, _ = story(fill(fee="-0.50"))
    assert (stock.quantity, stock.average) == (1, D("100.50"))


def test_a_fee_in_the_coin_makes_them_fewer():
    stock, _ = story(fill(fee="-0.01", paid_in="SOL"))
    assert (stock.quantity, stock.cost) == (D("0.99"), 100)


@pytest.mark.parametrize(("side", "coin"), [("BUY", "SOL"), ("SELL", "USD")])
def test_a_fee_without_a_currency_is_the_usual_one(side, coin):
    named, unnamed = fill(side, fee="-0.01", paid_in=coin), fill(side, fee="-0.01", paid_in="")
    assert list(compute_changes(unnamed, cash=CASH)) == list(compute_changes(named, cash=CASH))


def test_a_fee_in_another_coin_leaves_that_coin_at_its_cost():
    cro, _ = story(
        fill(name="CRO_USD", quantity="100", price="0.10"), fill(fee="-10", paid_in="CRO"), coin="CRO"
    )
    sol, _ = story(fill(fee="-10", paid_in="CRO"))
    assert (cro.quantity, cro.cost) == (90, 9)
    assert (sol.quantity, sol.cost) == (1, 100)


def test_a_rebate_is_a_coin_for_nothing():
    stock, _ = story(fill(fee="0.01", paid_in="SOL"))
    assert (stock.quantity, stock.cost) == (D("1.01"), 100)


def test_a_sale_gains_what_it_brought_less_what_the_coins_cost():
    stock, gains = story(fill(), fill(price="200"), fill("SELL", price="180", fee="-1"))
    assert gains == [D("29")]  # 180 - 1 - 150
    assert (stock.quantity, stock.average) == (1, 150)


def test_a_dollar_by_another_name_is_worth_what_it_was_worth_then():
    """USDT at 0.90: what was bought with it cost a tenth less than its price."""
    bought = fill(name="SOL_USDT", fee="-1", paid_in="USDT", rate="0.90")
    stock, gains = story(bought, fill("SELL", price="111"))
    assert gains == [D("20.10")]  # 111 - 0.90 * 101
    assert stock == EMPTY
    stock, gains = story(fill(), fill("SELL", name="SOL_USDT", price="110", rate="0.90"))
    assert gains == [-1]


def test_a_fee_in_cash_of_another_currency_counts_at_its_rate():
    stock, _ = story(fill(fee="-2", paid_in="EUR", fee_usd=D("-2.20")))
    assert stock.cost == D("102.20")
    _, gains = story(fill(), fill("SELL", price="110", fee="-2", paid_in="USDT", fee_usd=D("-1.80")))
    assert gains == [D("8.20")]
    stock, _ = story(fill(fee="-2", paid_in="EUR"))
    assert (stock.quantity, stock.uncosted) == (0, 1)


def test_what_was_paid_at_an_unknown_rate_is_no_part_of_the_result():
    bought = fill(name="SOL_EUR", paid_in="EUR")
    stock, gains = story(bought, fill(), fill("SELL", price="150"))
    assert (stock, gains) == (Stock(uncosted=D(1)), [50])
    stock, gains = story(bought, fill("SELL"), fill(price="100"), fill("SELL", price="110"))
    assert gains == [None, 10]


def test_crumbs_of_unknown_cost_are_forgotten():
    bought = fill(name="SOL_EUR", paid_in="EUR")
    stock, _ = story(bought, fill("SELL", quantity="0.99999"), fill(price="120"))
    assert (stock.quantity, stock.average, stock.uncosted) == (1, 120, 0)


def test_a_coin_that_was_never_bought_is_sold_without_a_result():
    assert story(fill("SELL")) == (EMPTY, [None])


def test_of_more_than_was_bought_the_bought_part_has_a_result():
    """A reward of a fiftieth of a percent, sold with what was bought."""
    sale = fill("SELL", quantity="1.0002", price="150")
    bought, _ = story(fill())
    assert bought.unexplained(D("1.0002")) == D("0.0002")
    stock, gains = story(fill(), sale)
    assert stock == EMPTY
    assert gains == [pytest.approx(D(50))]


def test_a_rounding_more_than_was_bought_is_a_result():
    assert story(fill(), fill("SELL", quantity="1.00005", price="110"))[1] == [D("10.0055")]


def test_coins_that_came_in_otherwise_count_as_sold_last():
    assert story(fill(), fill("SELL", price="90"), fill("SELL", price="90"))[1] == [-10, None]


def test_a_coin_that_was_paid_with_is_sold_at_its_rate():
    btc = fill(name="BTC_USD", quantity="1", price="60000")
    spent = fill(name="ETH_BTC", quantity="10", price="0.05", fee="-0.001", paid_in="BTC", rate="70000")
    stock, gains = story(btc, spent, coin="BTC")
    assert (stock.quantity, stock.cost, gains) == (D("0.499"), 29940, [5010])
    assert story(btc, spent, coin="ETH")[0] == Stock(D(10), D(35070))
    back = fill("SELL", name="ETH_BTC", quantity="10", price="0.06", paid_in="BTC", rate="80000")
    stock, gains = story(btc, spent, back, coin="ETH")
    assert (stock, gains) == (EMPTY, [48000 - 35070])
    assert story(btc, spent, back, coin="BTC")[0] == Stock(D("1.099"), D(29940 + 48000))


def test_without_a_rate_what_a_coin_bought_has_no_cost():
    btc = fill(name="BTC_USD", quantity="1", price="60000")
    spent = fill(name="ETH_BTC", quantity="10", price="0.05", paid_in="ETH")
    stock, gains = story(btc, spent, coin="BTC")
    assert (stock.quantity, stock.cost, gains) == (D("0.5"), 30000, [None])
    assert story(btc, spent, coin="ETH")[0] == Stock(uncosted=D(10))


def test_cash_and_derivatives_are_no_stock():
    assert list(compute_changes(fill(name="USDT_USD"), cash=CASH)) == []
    assert list(compute_changes(fill(name="BTCUSD-PERP"), cash=CASH)) == []
    assert spot_pair("SHIB_BTC@OEX_HK") == ("SHIB", "BTC")


def test_it_explains_what_is_held_or_less():
    stock = Stock(D(10), D(100))
    assert [stock.unexplained(D(held)) for held in ("3", "10", "10.0005", "10.01")] == [0, 0, 0, D("0.01")]


amounts = st.decimals("0.00001", "1000", places=5)
sides = st.sampled_from(["BUY", "SELL"])
moves = st.lists(st.tuples(sides, amounts, amounts), max_size=40)


@given(moves)
def test_cost_never_falls_below_nothing_and_money_is_neither_made_nor_lost(told):
    """What went in is in the stock, or went out with the sales that have a result."""
    stock, paid, brought, gained, whole = EMPTY, D(0), D(0), D(0), True
    for side, quantity, price in told:
        sign = 1 if side == "BUY" else -1
        change = Change(currency="X", quantity=sign * quantity, usd=quantity * price, is_sale=sign < 0)
        whole = whole and (sign > 0 or not stock.unexplained(quantity))
        stock, gain = apply_change(stock, change)
        paid += change.usd if sign > 0 else 0
        brought += change.usd if sign < 0 else 0
        gained += gain or 0
        whole = whole and (sign > 0 or gain is not None)
        assert stock.quantity >= 0
        assert stock.cost >= 0
    if whole:
        assert abs(paid + gained - brought - stock.cost) <= D("1e-9") + paid * D("1e-20")


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=20))
def test_selling_everything_gains_everything(bought):
    stock = EMPTY
    for quantity, price in bought:
        stock, _ = apply_change(stock, Change(currency="X", quantity=quantity, usd=quantity * price))
    all_of_it = sum(quantity for quantity, _ in bought)
    paid = sum(quantity * price for quantity, price in bought)
    sale = Change(currency="X", quantity=-all_of_it, usd=D(7), is_sale=True)
    assert apply_change(stock, sale) == (EMPTY, 7 - paid)
    more = Change(currency="X", quantity=-all_of_it * (1 + 2 * TOLERANCE), usd=D(7), is_sale=True)
    explained = all_of_it / -more.quantity
    assert apply_change(stock, more) == (EMPTY, 7 * explained - paid)
