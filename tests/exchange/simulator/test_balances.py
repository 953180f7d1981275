"""The account view: what reserved funds do to it, and what the behaviour options show."""

from decimal import Decimal

import pytest

from exchange.simulator.config import Refusal
from tests.exchange.simulator.world import World


def shown(world: World, currency: str) -> dict[str, str]:
    rows = world.send_manually("private/user-balance")["data"][0]["position_balances"]
    return next(row for row in rows if row["instrument_name"] == currency)


def test_an_account_never_funded_owns_nothing():
    row = World({}).send_manually("private/user-balance")["data"][0]
    assert (row["position_balances"], row["total_cash_balance"]) == ([], "0")


def test_an_open_buy_shows_only_in_what_may_be_withdrawn():
    world = World({"USD": "9.677146618"})
    world.buy("CRO_USD", 28, "0.0385")
    row = shown(world, "USD")
    assert (row["quantity"], row["reserved_qty"], row["max_withdrawal_balance"]) == (
        "9.677146618",
        "0",
        "8.59914661",
    )


def test_or_it_shows_as_reserved():
    world = World({"USD": 10}, reserved_qty="amount")
    world.buy("CRO_USD", 28, "0.0385")
    row = shown(world, "USD")
    assert (row["reserved_qty"], row["market_value"], row["max_withdrawal_balance"]) == (
        "1.078",
        "10",
        "8.922",
    )


@pytest.mark.parametrize(
    ("option", "reserved", "free"),
    [("like_buys", "0", "60"), ("reserved_qty", "40", "60"), ("invisible", "0", "100")],
)
def test_how_a_resting_sell_shows_is_an_option(option, reserved, free):
    world = World({"CRO": 100}, sell_reservation=option)
    world.sell("CRO_USD", 40, "0.05")
    row = shown(world, "CRO")
    assert (row["quantity"], row["reserved_qty"], row["max_withdrawal_balance"]) == ("100", reserved, free)


def test_what_an_order_reserves_no_other_can_use_until_it_has_ended():
    world = World({"CRO": 100})
    order = world.sell("CRO_USD", 80, "0.05")
    with pytest.raises(Refusal, match="306"):
        world.sell("CRO_USD", 30, "0.05")
    with pytest.raises(Refusal, match="30024"):
        world.withdraw("CRO", 30)
    world.cancel(order)
    world.withdraw("CRO", 30)
    assert world.sell("CRO_USD", 70, "0.05").status == "ACTIVE"


def test_a_filled_part_reserves_nothing():
    world = World({"CRO": 100})
    order = world.sell("CRO_USD", 80, "0.05")
    world.fill(order, 50)
    assert world.exchange.dump()["reserved"] == {"CRO": "30"}


def test_every_coin_is_valued_in_dollars():
    world = World({"USD": 100, "BTC": "0.01", "CRO": 1000})
    row = world.send_manually("private/user-balance")["data"][0]
    worth = 100 + Decimal("0.01") * world.price("BTC_USD") + 1000 * world.price("CRO_USD")
    assert Decimal(row["total_cash_balance"]) == worth


def test_the_history_of_the_balance_ends_now():
    rows = World({"USD": 100}).send_manually("private/user-balance-history", timeframe="H1", limit=3)["data"]
    assert [row["c"] for row in rows] == ["100", "100", "100"]
    assert rows[1]["t"] - rows[0]["t"] == 3_600_000


def test_a_position_set_by_a_control_is_shown_against_mark():
    world = World()
    world.control("position", instrument_name="BTCUSD-PERP", quantity="-0.5", entry_price="60000")
    row = world.send_manually("private/get-positions")["data"][0]
    mark = world.prices.mark("BTCUSD-PERP", world.now_ms())
    assert (row["quantity"], row["type"]) == ("-0.5", "PERPETUAL_SWAP")
    assert Decimal(row["open_position_pnl"]) == Decimal("-0.5") * (mark - 60_000)
    world.control("position", instrument_name="BTCUSD-PERP", quantity=0)
    assert world.send_manually("private/get-positions") == {"data": []}


def test_fee_rates_are_basis_points():
    rates = World().send_manually("private/get-fee-rate")
    one = World().send_manually("private/get-instrument-fee-rate", instrument_name="BTC_USD")
    assert rates["effective_spot_maker_rate_bps"] == one["effective_maker_rate_bps"] == "24.2500000000"
    with pytest.raises(Refusal, match="209"):
        World().send_manually("private/get-instrument-fee-rate")


def test_the_cumulative_fee_of_a_buy_is_in_coins_whatever_was_charged():
    world = World()
    order = world.buy("CRO_USD", 100, fee_instrument_name="USD")
    assert order.cumulative_fee == Decimal("0.485")
    other = World(cumulative_fee_unit="fee_token").buy("CRO_USD", 100, fee_instrument_name="USD")
    assert other.cumulative_fee == Decimal("4.711") * Decimal("0.00485")


def test_fees_may_be_cut_to_eight_decimals():
    world = World({"USD": 100}, fee_rounding="eight_decimals")
    world.buy("BTC_USD", "0.00123")
    assert world.balance("BTC") == Decimal("0.00123") - Decimal("0.00000596")


def test_an_unacknowledged_market_buy_reserves_its_cost_at_placement():
    world = World({"USD": "4.711"}, ack_delay_ms=200)
    order = world.buy("CRO_USD", 100)
    world.move("CRO_USD", 10)
    assert world.exchange.audit() == []
    world.tick(1)
    assert (order.status, order.reason) == ("CANCELED", 306)
