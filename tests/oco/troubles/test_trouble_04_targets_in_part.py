"""Trouble 4: the target fills a tenth, the exchange kills the stop, and goes on filling (rule 8).

The remainder below the minimum is told in tests/oco/stories/test_partial_target.py.
"""

from decimal import Decimal

import pytest

from oco.models import OcoGroup

D = Decimal


def test_a_tenth_fills_and_the_rest_is_armed_again(covered):
    covered.fill_ours(covered.target(), "0.1")
    covered.sync()
    assert covered.resting() == [("LIMIT", D("0.009")), ("STOP_LOSS", D("0.009"))]
    covered.must_converge()


@pytest.mark.parametrize("moment", range(8, 14))
@pytest.mark.parametrize("kind", ["send", "answer"])
def test_it_goes_on_filling_while_we_arm_again(covered, kind, moment):
    covered.fill_ours(covered.target(), "0.1")
    covered.during(kind, moment, "fill_ours", 0, "0.5")
    covered.must_converge()


def test_it_fills_wholly_between_our_cancel_and_the_look_at_it(covered):
    covered.fill_ours(covered.target(), "0.1")
    covered.during("send", 8, "fill_ours", 0, "1")
    assert OcoGroup.objects.get().state == "CLOSED_BY_TARGET"
    covered.must_converge()


def test_again_and_again_a_little(covered):
    for _ in range(5):
        covered.fill_ours(covered.target(), "0.1")
        covered.sync()
    covered.must_converge()
