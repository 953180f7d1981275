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
    "places a stop": ("foreign_stop", "BTC", "0.5"),
    "places a pair": ("foreign_pair", "BTC", "1"),
    "places a resting sell": ("foreign_limit", "BTC", "0.5"),
    "cancels a leg": ("cancel_leg", 0),
    "cancels everything": ("cancel_everything",),
}


@pytest.mark.parametrize("nth", [1, 8, 9])
@pytest.mark.parametrize("hand", HANDS)
def test_in_the_cycle_that_protects_a_hand(tell, hand, nth):
    tale = tell(rich=False)
    tale.buy("BTC_USD", "600", "USD")
    tale.amid("send", nth, *HANDS[hand])
    tale.sync()
    tale.ends_well()


@pytest.mark.parametrize("rich", [True, False])
@pytest.mark.parametrize("nth", [1, 5])
def test_cancelled_by_hand_it_is_released_and_stays_so(tell, rich, nth):
    tale = tell(rich=rich)
    tale.buy("BTC_USD", "600", "USD")
    tale.sync()
    tale.amid("send", nth, "cancel_everything")
    tale.sync()
    assert OcoGroup.objects.get().state == "RELEASED"
    tale.ends_well()
    assert tale.resting() == []


def test_spent_as_quote_the_lot_shrinks(tell):
    tale = tell(rich=False, oco_reserves="limit_leg_only")
    tale.buy("BTC_USD", "600", "USD")
    tale.sync()
    tale.withdraw("BTC", "0.5", force=True)
    tale.buy("ETH_BTC", "60")
    for _ in range(3):
        tale.sync()
    assert Lot.objects.get(base_ccy="BTC").gone > 0
    tale.ends_well()
