"""Trades become lots (protection chapter 1)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oco.engine.lots import (
    Fill,
    average_price,
    lot_draft,
    lot_draft_of_sale,
    merged_price,
    net_quantity,
    proceeds,
)
from oco.engine.pricing import Grid

D = Decimal
GRID = Grid(price_tick=D("0.01"), quantity_tick=D("0.001"))


def trade(number, quantity="1", price="100", fee="0", currency="USD"):
    return Fill(
        trade_id=str(number),
        quantity=D(quantity),
        price=D(price),
        fee=D(fee),
        fee_currency=currency,
        at_ns=number,
    )


def lot(*trades):
    return lot_draft(trades, base="SOL", grid=GRID, stop_pct=D(5))


def test_the_fee_in_the_coin_itself_did_not_come_in():
    assert net_quantity([trade(1, fee="-0.001", currency="SOL")], "SOL") == D("0.999")


def test_a_fee_in_another_coin_did():
    fees = [trade(1, fee="-0.1", currency="USD"), trade(2, fee="-0.1", currency="CRO")]
    assert net_quantity(fees, "SOL") == D(2)


def test_a_rebate_is_not_counted_on():
    assert net_quantity([trade(1, fee="0.001", currency="SOL")], "SOL") == D(1)


def test_the_average_is_weighed_by_quantity():
    assert average_price([trade(1, "1", "100"), trade(2, "3", "104")]) == D(103)


def test_what_is_below_the_grid_is_dust():
    found = lot(trade(1, "1.0009"))
    assert (found.bought, found.dust) == (D("1.0009"), D("0.0009"))


def test_too_little_is_no_lot_yet():
    assert lot(trade(1, "0.0107")) is None
    assert lot(trade(1, "0.0107"), trade(2, "0.001")) is not None


def test_no_trades_are_no_lot():
    assert lot() is None


def test_the_name_comes_from_the_first_trade_however_they_arrive():
    assert lot(trade(2), trade(1)).first_trade_id == "1"


def test_a_merged_lot_costs_what_its_parts_cost():
    assert merged_price([(D(1), D(100)), (D(3), D(104))]) == D(103)


@given(st.lists(st.decimals("0.001", "10", places=5), min_size=1, max_size=20))
def test_a_lot_never_owns_more_than_came_in(quantities):
    trades = [trade(n, q, fee=-q / 1000, currency="SOL") for n, q in enumerate(quantities, start=1)]
    found = lot(*trades)
    if found is not None:
        assert found.bought == sum(quantities) * D("0.999")
        assert 0 <= found.dust < GRID.quantity_tick


def test_less_than_the_policy_asks_for_waits_for_the_next_trades():
    def worth(*trades):
        return lot_draft(trades, base="SOL", grid=GRID, stop_pct=D(5), minimum_usd=D(150))

    assert worth(trade(1)) is None
    assert worth(trade(1), trade(2)).bought == D(2)


# after a sale


def back(*trades, **policy):
    return lot_draft_of_sale(trades, quote="USD", grid=GRID, stop_pct=D(5), **policy)


def test_a_sale_brought_its_value_without_the_fee_in_that_money():
    sold = [trade(1, fee="-0.5", currency="USD"), trade(2, fee="-9", currency="CRO"), trade(3, fee="0.4")]
    assert proceeds(sold, "USD") == D("299.9")


def test_what_it_brought_is_all_that_is_ever_paid():
    found = back(trade(1, "10", fee="-5", currency="USD"))
    assert (found.bought, found.dust, found.unit_cost) == (D("9.154"), 0, D("108.15") * D("1.005"))
    assert found.bought * found.unit_cost <= D(995) < (found.bought + D("0.001")) * found.unit_cost


def test_a_sale_that_brought_too_little_waits():
    assert back(trade(1, "0.01")) is None
    assert back(trade(1), minimum_usd=D(150)) is None
    assert back() is None


@given(
    st.lists(
        st.tuples(st.decimals("0.001", "10", places=3), st.decimals("1", "1000", places=2)),
        min_size=1,
        max_size=20,
    )
)
def test_never_more_coins_than_sold_and_never_for_more_than_they_brought(sales):
    trades = [trade(n, quantity, price, fee=-quantity) for n, (quantity, price) in enumerate(sales, start=1)]
    found = back(*trades)
    if found is not None:
        assert found.bought <= sum(quantity for quantity, _ in sales)
        assert found.bought * found.unit_cost <= proceeds(trades, "USD")
