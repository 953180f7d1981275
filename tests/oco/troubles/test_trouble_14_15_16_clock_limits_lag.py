"""Troubles 14 to 16: a wrong clock, an exchange that asks us to slow down, a balance of some seconds ago."""

import pytest

from oco.models import Lot


@pytest.mark.parametrize("seconds", [61, -61])
def test_a_clock_that_is_a_minute_wrong_protects_nothing_and_harms_nothing(bought, seconds):
    bought.skew(seconds)
    bought.sync()
    assert bought.ours() == []
    bought.must_converge()
    assert len(bought.ours()) == 2


@pytest.mark.parametrize("seconds", [25, -25, 0.4, -0.4])
def test_a_clock_that_is_less_wrong_protects(bought, seconds):
    bought.skew(seconds)
    bought.sync()
    assert len(bought.resting()) == 2
    bought.reach(0, "stop", "1")
    bought.sync()
    bought.must_converge()


def test_42901_on_every_third_call(bought):
    bought.add_fault("refuse", "*", code=42901, every=3)
    for _ in range(5):
        bought.sync()
    assert len(bought.resting()) == 2
    bought.must_converge()


@pytest.mark.parametrize("age", [1, 3, 5])
def test_a_balance_of_some_seconds_ago_neither_shrinks_nor_oversells(bought, age):
    bought.add_fault("stale", "private/user-balance", age_s=age)
    for seconds in (2, 3, 11, 60):
        bought.buy("BTC_USD", "600", "USD")
        bought.sync(seconds)
    bought.sync(3)
    assert set(Lot.objects.values_list("gone", flat=True)) == {0}
    bought.must_converge()
