"""Troubles 17 to 20: fees in every coin, odd grids, entries after their cancel, gaps.

Gaps before the pair rests are told in tests/oco/stories/test_beyond.py.
"""

from decimal import Decimal

import pytest

from oco.models import Lot, OcoGroup

D = Decimal


@pytest.mark.parametrize(("fee", "net"), [("", "0.00995"), ("USD", "0.01"), ("USDT", "0.01")])
def test_only_a_fee_in_the_coin_lessens_the_lot(scenario, fee, net):
    scenario.buy("BTC_USD", "600.1", fee)
    scenario.sync()
    assert {quantity for _, quantity in scenario.resting()} == {D(net)}
    scenario.must_converge()


@pytest.mark.parametrize("dollars", ["1.1", "30", "5000"])
def test_a_grid_of_ten_thousand(scenario, dollars):
    scenario.buy("SHIB_USD", dollars, "USD")
    scenario.sync()
    for _, quantity in scenario.resting():
        assert quantity % 10_000 == 0
    scenario.reach(0, "stop", "1")
    scenario.sync()
    scenario.must_converge()


@pytest.mark.parametrize("dollars", ["1.01", "1.05", "1.10", "1.2"])
def test_around_the_minimum_of_a_dollar(scenario, dollars):
    """What is too little for its stop waits for more, and nothing is refused over and over."""
    scenario.buy("SHIB_USD", dollars, "USD")
    scenario.sync()
    assert OcoGroup.objects.filter(failures__gt=0).count() == 0
    scenario.must_converge()


def test_an_entry_executes_after_its_cancel_was_accepted(new_scenario):
    scenario = new_scenario(cancel_delay_ms=2000)
    scenario.bid("ETH_USD", "600")
    scenario.sync()
    order = scenario.actions.external_orders()[0]
    scenario.world.cancel(order)
    scenario.fill(0, "0.5")
    scenario.sync()
    assert order.status == "CANCELED"
    assert Lot.objects.get().bought > D("0.09")
    scenario.must_converge()


@pytest.mark.parametrize("percent", ["-6", "-30", "12", "40"])
@pytest.mark.parametrize("nth", [8, 9])
def test_the_market_gaps_while_the_pair_is_placed(bought, percent, nth):
    bought.during("send", nth, "move", "BTC_USD", percent)
    bought.sync()
    bought.must_converge()
