"""Troubles 1 to 3: answers lost, orders that cannot be read, codes that contradict (rule 6).

Told by the stories in tests/oco/stories/test_unknown.py: hidden for half an hour, unreadable for 2 s, no ids.
"""

import pytest

from oco.models import OcoGroup, OcoLeg

OCO = "private/advanced/create-oco"


def test_the_answer_is_lost_and_details_are_down_for_five_tries(bought):
    bought.add_fault("process_then_drop", OCO, times=1)
    bought.add_fault("http", "*get-order-detail", status=502, times=5)
    bought.sync()
    bought.sync()
    assert len(bought.ours()) == 2
    bought.must_converge()


def test_the_answer_is_lost_and_the_price_moves_past_the_target_before_it_is_found(bought):
    """What would be placed now has another price, but the first pair is not forgotten for it."""
    bought.add_fault("process_then_drop", OCO, times=1)
    bought.add_fault("hide_order", OCO, seconds=300, times=1)
    bought.sync()
    bought.move("BTC_USD", "9")
    for _ in range(4):
        bought.sync()
    assert len(bought.ours()) == 2
    bought.must_converge()


def test_hidden_for_half_an_hour_it_locks_its_coins_and_is_found_again(covered):
    covered.hide(0, 1800)
    for _ in range(9):
        covered.sync(180)
    assert OcoGroup.objects.get().state == "UNKNOWN"
    assert len(covered.ours()) == 2
    covered.must_converge()


@pytest.mark.parametrize("code", [306, 315, 50001])
def test_a_code_that_comes_with_ids_proves_nothing(bought, code):
    bought.add_fault("code_with_ids", OCO, code=code, times=1)
    bought.sync()
    bought.sync()
    assert len(bought.ours()) == 2
    bought.must_converge()


def test_sent_again_under_its_name_204_means_that_the_first_one_lives(bought):
    """The request is processed when everybody has looked twice and found nothing."""
    bought.add_fault("process_later", OCO, seconds=55, times=1)
    for _ in range(4):
        bought.sync(15)
    assert len(bought.ours()) == 2
    assert OcoLeg.objects.count() == 2
    bought.must_converge()
