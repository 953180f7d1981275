"""Troubles 10 and 11: reads that fail or lie for long; a restart among two hundred groups (rules 11 and 12)."""

import pytest

from oco.models import OcoGroup

READS = ("*get-open-orders", "*get-order-history", "private/get-trades", "private/user-balance")


@pytest.mark.parametrize("kind", ["http", "empty", "drop_before"])
def test_reads_fail_for_75_minutes(covered, kind):
    for method in READS:
        covered.add_fault(kind, method)
    for _ in range(25):
        covered.sync(180)
        assert covered.requests("/create-") == 0
    assert len(covered.resting()) == 2
    covered.must_converge()
    assert OcoGroup.objects.get().state == "ACTIVE"


@pytest.mark.parametrize("method", READS)
def test_half_of_the_reads_fail(bought, method):
    bought.add_fault("http", method, every=2, status=503)
    for _ in range(4):
        bought.sync()
    bought.must_converge()


def test_a_buy_during_the_outage_is_protected_after_it(scenario):
    scenario.add_fault("http", "private/*", status=502)
    for _ in range(3):
        scenario.buy("ETH_USD", "600")
        scenario.sync()
    assert scenario.ours() == []
    scenario.clear_faults()
    scenario.sync()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 3
    scenario.must_converge()


def test_a_restart_among_two_hundred_open_groups(scenario):
    """The new process knows nothing but the database, and sends nothing."""
    for _ in range(2):
        for _ in range(100):
            scenario.actions.buy("ETH_USD", "30", "USD")
        scenario.sync()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 200
    scenario.killed("send", 3)
    scenario.sync()
    assert scenario.requests("/create-") == scenario.requests("/cancel-") == 0
    scenario.sync(900)  # its window still overlaps with the two hundred fills
    scenario.sync(900)
    assert len(scenario.actions.requested) <= 8
    scenario.must_converge()
