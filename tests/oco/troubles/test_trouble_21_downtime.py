"""Trouble 21: 25 hours, 8 days, half a year of downtime; 101 trades in one millisecond."""

import pytest

from oco.models import LotTrade, OcoGroup

HOUR, DAY = 3600, 86_400
AWAY = [25 * HOUR, 8 * DAY, 184 * DAY]


@pytest.mark.parametrize("seconds", AWAY)
def test_what_was_bought_before_we_fell_asleep_is_protected_when_we_wake(bought, seconds):
    bought.sync(seconds)
    bought.ends_well()


@pytest.mark.parametrize("seconds", AWAY)
def test_a_stop_that_fired_while_we_slept_is_found(covered, seconds):
    covered.reach(0, "stop", "1")
    covered.sync(seconds)
    covered.ends_well()
    assert OcoGroup.objects.get().state == "CLOSED_BY_STOP"


@pytest.mark.parametrize("seconds", AWAY)
def test_nothing_is_dumped_after_it(bought, seconds):
    bought.move("BTC_USD", "-20")
    bought.sync(seconds)
    bought.ends_well()
    assert bought.ours() == []
    assert OcoGroup.objects.get().state == "STOP_FAILED"


def test_a_hundred_and_one_trades_in_one_millisecond(tell):
    tale = tell(ns_resolution="ms")
    tale.bid("ETH_USD", "5000")
    order = tale.life.others()[0]
    for _ in range(101):
        tale.life.world.fill(order, "0.01")
    for _ in range(3):
        tale.sync()
        tale.history.life.history()
    tale.ends_well()
    assert LotTrade.objects.filter(lot__isnull=False).count() == 101
