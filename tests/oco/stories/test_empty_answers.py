"""What was bought is found and protected, however many answers said that nothing had happened (rule 11)."""

import pytest

from exchange.models import SyncCursor
from exchange.sync.backfill import history_slice
from oco.models import Lot
from tests.share import once

TRADES, HISTORIES = "private/get-trades", "*get-order-history"
EVERYTHING = (TRADES, HISTORIES, "*get-open-orders", "private/user-balance")


@pytest.mark.parametrize("methods", [(TRADES,), (TRADES, HISTORIES), EVERYTHING])
@pytest.mark.parametrize("hours", once([0.2, 1.5, 3, 20], 20))
def test_one_empty_answer_after_a_downtime_hides_nothing_for_long(desk, world, methods, hours):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.tick(hours * 3600)
    for method in methods:
        world.faults.add("empty", method)
    desk.unchecked(60)
    world.faults.clear()
    desk.unchecked(60)
    history_slice(seconds=10)
    desk.sync_ok()
    assert Lot.objects.exists()


def test_nor_do_empty_answers_for_75_minutes(desk, world):
    desk.sync_ok()
    for method in (TRADES, HISTORIES):
        world.faults.add("empty", method)
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    for _ in range(15):
        desk.unchecked(300)
    world.faults.clear()
    desk.sync_ok()
    assert Lot.objects.exists()


def test_trades_that_are_left_to_the_slices_do_not_hold_the_rest_back(desk, world):
    world.deposit("USD", "1000000")
    desk.sync_ok()
    for _ in range(9):
        order = world.buy("USDT_USD", "1300", f"{world.price('USDT_USD') * 99 / 100:.4f}")
        for _ in range(650):
            world.fill(order, "2")
        desk.unchecked(60)
    read = SyncCursor.objects.get(stream="TRADES").read_until_ns
    assert desk.now.timestamp() - read / 1e9 < 6 * 60
