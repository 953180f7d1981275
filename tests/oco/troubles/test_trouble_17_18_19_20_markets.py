"""Troubles 17 to 20: fees in every coin, odd grids, entries after their cancel, gaps.

Gaps before the pair rests are told in tests/oco/stories/test_beyond.py.
"""

from decimal import Decimal

import pytest

from oco.models import Lot, OcoGroup

D = Decimal


@pytest.mark.parametrize(("fee", "net"), [("", "0.00995"), ("USD", "0.01"), ("USDT", "0.01")])
def test_only_a_fee_in_the_coin_lessens_the_lot(tale, fee, net):
    tale.buy("BTC_USD", "600.1", fee)
    tale.sync()
    assert {quantity for _, quantity in tale.resting()} == {D(net)}
    tale.ends_well()


@pytest.mark.parametrize("dollars", ["1.1", "30", "5000"])
def test_a_grid_of_ten_thousand(tale, dollars):
    tale.buy("SHIB_USD", dollars, "USD")
    tale.sync()
    for _, quantity in tale.resting():
        assert quantity % 10_000 == 0
    tale.reach(0, "stop", "1")
    tale.sync()
    tale.ends_well()


@pytest.mark.parametrize("dollars", ["1.01", "1.05", "1.10", "1.2"])
def test_around_the_minimum_of_a_dollar(tale, dollars):
    """What is too little for its stop waits for more, and nothing is refused over and over."""
    tale.buy("SHIB_USD", dollars, "USD")
    tale.sync()
    assert OcoGroup.objects.filter(failures__gt=0).count() == 0
    tale.ends_well()


def test_an_entry_executes_after_its_cancel_was_accepted(tell):
    tale = tell(cancel_delay_ms=2000)
    tale.bid("ETH_USD", "600")
    tale.sync()
    order = tale.life.others()[0]
    tale.world.cancel(order)
    tale.fill(0, "0.5")
    tale.sync()
    assert order.status == "CANCELED"
    assert Lot.objects.get().bought > D("0.09")
    tale.ends_well()


@pytest.mark.parametrize("percent", ["-6", "-30", "12", "40"])
@pytest.mark.parametrize("nth", [8, 9])
def test_the_market_gaps_while_the_pair_is_placed(bought, percent, nth):
    bought.amid("send", nth, "move", "BTC_USD", percent)
    bought.sync()
    bought.ends_well()
