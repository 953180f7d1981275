"""Troubles 6 and 7: fills that come in one breath, and a stop that fills under a second id.

A hundred and twenty slow fills are told in tests/oco/stories/test_lots.py.
"""

import pytest

from oco.models import Lot, LotTrade, OcoGroup


def test_two_fills_inside_one_acknowledgement_are_one_lot(new_scenario):
    scenario = new_scenario(ack_delay_ms=2000)
    scenario.bid("BTC_USD", "600")
    scenario.fill(0, "0.5")
    scenario.fill(0, "1")
    scenario.sync()
    assert (Lot.objects.count(), LotTrade.objects.count()) == (1, 2)
    scenario.must_converge()


def test_the_stop_fills_in_its_own_create_answer(bought):
    """Between our look at the market and the order, mark falls below the stop; and the exchange takes the order."""
    bought.world.set_behaviour(trigger_wrong_side="fires")
    bought.during("send", 9, "move", "BTC_USD", "-6")
    assert OcoGroup.objects.get().state == "CLOSED_BY_STOP"
    bought.must_converge()


@pytest.mark.parametrize("carry", ["exchange_order_id", "order_id"])
@pytest.mark.parametrize("name", ["client_oid", "exchange_order_id"])
@pytest.mark.parametrize("second", ["when_live", "never"])
@pytest.mark.parametrize("plain", ["hidden", "shown"])
def test_a_triggered_stop_counts_once_whatever_ids_its_fills_carry(new_scenario, carry, name, second, plain):
    scenario = new_scenario(
        fills_carry=carry, fills_client_oid=name, exchange_order_id=second, triggered_in_plain=plain
    )
    scenario.buy("ETH_USD", "600", "USD")
    scenario.sync()
    scenario.reach(0, "stop", "1")
    scenario.sync()
    lot = Lot.objects.get()
    assert (OcoGroup.objects.get().state, lot.sold) == ("CLOSED_BY_STOP", lot.bought)
    scenario.must_converge()
