"""Troubles 8 and 9: cancels that race, that are never done, that are refused; stops that leave a rest.

The rest that a stop leaves is told in tests/oco/stories/test_partial_target.py; here it is left twice.
"""

from decimal import Decimal

import pytest

from oco.models import OcoGroup

D = Decimal
CANCEL = "*/cancel-*"


@pytest.fixture
def in_part(covered):
    """The target has sold 40 %; the next cycle will cancel it."""
    covered.fill_ours(covered.target(), "0.4")
    assert len(covered.resting()) == 1
    return covered


def test_a_fill_comes_before_our_cancel(in_part):
    in_part.during("send", 8, "fill_ours", 0, "1")
    assert OcoGroup.objects.get().state == "CLOSED_BY_TARGET"
    in_part.must_converge()


def test_a_cancel_is_accepted_and_never_done(in_part):
    in_part.add_fault("ignore_cancel", CANCEL)
    for _ in range(4):
        in_part.sync()
        assert len(in_part.resting()) == 1
        assert in_part.requests("/cancel-") == 1
    in_part.must_converge()


@pytest.mark.parametrize("code", [316, 212, 40401])
def test_a_cancel_is_refused_although_the_order_lives(in_part, code):
    in_part.add_fault("refuse", CANCEL, code=code, times=2)
    in_part.sync()
    assert len(in_part.resting()) == 1
    in_part.must_converge()


@pytest.mark.parametrize("share", ["1", "0.5"])
def test_a_cancel_is_refused_because_the_order_has_ended(in_part, share):
    in_part.during("send", 9, "cancel_leg", 0)
    in_part.must_converge()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 1


def test_the_answer_of_a_cancel_is_lost(in_part):
    in_part.add_fault("process_then_drop", CANCEL, times=1)
    in_part.sync()
    assert in_part.resting() == [("LIMIT", D("0.006")), ("STOP_LOSS", D("0.006"))]
    in_part.must_converge()


def test_the_stop_and_then_the_sale_of_its_rest_find_a_thin_market(covered):
    covered.thin_market("BTC_USD", "100")
    covered.reach(0, "stop", "1")
    for _ in range(3):
        covered.sync()
    covered.thin_market("BTC_USD", None)
    covered.sync()
    assert OcoGroup.objects.get().state == "CLOSED_BY_EXIT"
    covered.must_converge()
