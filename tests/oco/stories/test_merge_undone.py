"""Lots that were to be merged go on by themselves when nothing new comes after all (chapter 1, Group)."""

from decimal import Decimal

import pytest

from oco.models import Lot, OcoGroup
from oco.policies import policy_for
from tests.oco.stories.test_buy_back import allow
from tests.oco.support import check_converged, resting

D = Decimal


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_a_policy_switched_off_while_they_merge_leaves_nothing_bare(desk, world, side):
    allow()
    world.deposit(*{"BUY": ("USD", "100000"), "SELL": ("BTC", "1")}[side])
    desk.sync_ok()
    price, act = world.price("BTC_USD"), {"BUY": world.buy, "SELL": world.sell}[side]
    away = D("0.98") if side == "BUY" else D("1.02")
    order = act("BTC_USD", "0.7", f"{price * away:.2f}", fee_instrument_name="USD")
    for _ in range(5):
        world.fill(order, "0.1")
        desk.sync_ok()
    world.fill(order, "0.1")
    world.faults.add("ignore_cancel", "private/advanced/*")
    desk.unchecked(60)
    assert Lot.objects.filter(merging=True).count() == 5
    policy = policy_for("", side)
    policy.enabled = False
    policy.save()
    world.faults.clear()
    for _ in range(25):
        desk.sync_ok()
        if not Lot.objects.filter(merging=True).exists():
            break
    desk.sync_ok()
    assert [group.state for group in OcoGroup.objects.filter(closed_at=None)] == ["ACTIVE"] * 5
    assert len({order.list_id for order in resting(world)}) == 5
    check_converged(world)
