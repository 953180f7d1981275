"""Trouble 21: 25 hours, 8 days, half a year of downtime; 101 trades in one millisecond."""

import pytest

from exchange.models import HistoryGap
from oco.models import LotTrade, OcoGroup

HOUR, DAY = 3600, 86_400
REACHED = [25 * HOUR, 8 * DAY]
TOO_OLD = 184 * DAY  # such trades come only through support (dossier 7)


@pytest.mark.parametrize("seconds", REACHED)
def test_what_was_bought_before_we_fell_asleep_is_protected_when_we_wake(bought, seconds):
    bought.sync(seconds)
    bought.must_converge()


def test_what_was_bought_so_long_ago_that_no_trade_tells_of_it_is_not_touched(bought):
    for seconds in (TOO_OLD, 60, 60):
        bought.sync(seconds)
        bought.actions.history()
    assert (bought.ours(), OcoGroup.objects.count()) == ([], 0)


@pytest.mark.parametrize("seconds", [*REACHED, TOO_OLD])
def test_a_stop_that_fired_while_we_slept_is_found(covered, seconds):
    covered.reach(0, "stop", "1")
    covered.sync(seconds)
    covered.must_converge()
    assert OcoGroup.objects.get().state == "CLOSED_BY_STOP"


@pytest.mark.parametrize("seconds", REACHED)
def test_nothing_is_dumped_after_it(bought, seconds):
    bought.move("BTC_USD", "-20")
    bought.sync(seconds)
    bought.must_converge()
    assert bought.ours() == []
    assert OcoGroup.objects.get().state == "STOP_FAILED"


@pytest.mark.parametrize(("resolution", "told"), [("ns", 101), ("ms", 100)])
def test_a_hundred_and_one_trades_in_one_millisecond(new_scenario, resolution, told):
    """With whole milliseconds the exchange cannot tell the last of them apart: that is a gap, on record."""
    scenario = new_scenario(ns_resolution=resolution)
    scenario.bid("ETH_USD", "5000")
    order = scenario.actions.external_orders()[0]
    for _ in range(101):
        scenario.actions.world.fill(order, "0.01")
    for _ in range(3):
        scenario.sync()
        scenario.history.actions.history()
    assert LotTrade.objects.filter(lot__isnull=False).count() == told
    assert len(scenario.resting()) == 2
    assert HistoryGap.objects.exists() == (told < 101)
