"""Trades become lots (protection chapter 1)."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from oco.lots import Bought, average_price, draft, merged_price, net_quantity
from oco.pricing import Grid

D = Decimal
GRID = Grid(price_tick=D("0.01"), quantity_tick=D("0.001"))


def trade(number, quantity="1", price="100", fee="0", currency="USD"):
    return Bought(
        trade_id=str(number),
        quantity=D(quantity),
        price=D(price),
        fee=D(fee),
        fee_currency=currency,
        at_ns=number,
    )


def lot(*trades):
    return draft(trades, base="SOL", grid=GRID, stop_pct=D(5))


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
        return draft(trades, base="SOL", grid=GRID, stop_pct=D(5), minimum_usd=D(150))

    assert worth(trade(1)) is None
    assert worth(trade(1), trade(2)).bought == D(2)
