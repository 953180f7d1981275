"""Trouble 13: hands and other programs on the same coin, between any two steps (rules 2 and 10).

Most of it is told in tests/oco/stories/test_by_hand.py; here it happens in the middle of a cycle.
"""

import pytest

from oco.models import Lot, OcoGroup

HANDS = {
    "sells all": ("sell", "BTC", "1"),
    "sells some": ("sell", "BTC", "0.4"),
    "withdraws all": ("withdraw", "BTC", "1"),
    "spends it on another coin": ("buy", "ETH_BTC", "300"),
    "buys more": ("buy", "BTC_USD", "600", "USD"),
    "places a stop": ("external_stop", "BTC", "0.5"),
    "places a pair": ("external_pair", "BTC", "1"),
    "places a resting sell": ("external_limit", "BTC", "0.5"),
    "cancels a leg": ("cancel_leg", 0),
    "cancels everything": ("cancel_everything",),
}


@pytest.mark.parametrize("nth", [1, 8, 9])
@pytest.mark.parametrize("hand", HANDS)
def test_in_the_cycle_that_protects_a_hand(new_scenario, hand, nth):
    scenario = new_scenario(rich=False)
    scenario.buy("BTC_USD", "600", "USD")
    scenario.during("send", nth, *HANDS[hand])
    scenario.sync()
    scenario.must_converge()


@pytest.mark.parametrize("rich", [True, False])
@pytest.mark.parametrize("nth", [1, 5])
def test_cancelled_by_hand_it_is_released_and_stays_so(new_scenario, rich, nth):
    scenario = new_scenario(rich=rich)
    scenario.buy("BTC_USD", "600", "USD")
    scenario.sync()
    scenario.during("send", nth, "cancel_everything")
    scenario.sync()
    assert OcoGroup.objects.get().state == "RELEASED"
    scenario.must_converge()
    assert scenario.resting() == []


def test_spent_as_quote_the_lot_shrinks(new_scenario):
    scenario = new_scenario(rich=False, oco_reserves="limit_leg_only")
    scenario.buy("BTC_USD", "600", "USD")
    scenario.sync()
    scenario.withdraw("BTC", "0.5", force=True)
    scenario.buy("ETH_BTC", "60")
    for _ in range(3):
        scenario.sync()
    assert Lot.objects.get(base_ccy="BTC").gone > 0
    scenario.must_converge()
