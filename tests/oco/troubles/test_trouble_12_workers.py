"""Trouble 12: two and three workers, a task twice, sixty missed runs, a cycle that wakes up too late (rule 15)."""

import pytest

from oco.models import OcoGroup
from portfolio.tasks import sync_cycle

MOMENTS = range(1, 12, 2)


@pytest.mark.parametrize("nth", MOMENTS)
@pytest.mark.parametrize("kind", ["lease", "renewed", "send", "answer"])
def test_suspended_for_two_minutes_while_another_worker_protects(bought, kind, nth):
    bought.suspended(kind, nth)
    assert len(bought.ours()) <= 2
    bought.must_converge()


@pytest.mark.parametrize("nth", [8, 9, 10])
def test_asleep_with_a_signed_order_in_hand_while_two_others_decide_differently(bought, nth):
    """The second worker finds nothing twice and places another pair, for the coins that are left by then."""

    def meanwhile():
        bought.actions.tick(120)
        bought.actions.cycle()
        bought.actions.withdraw("BTC", "0.99")
        bought.actions.tick(60)
        bought.actions.cycle()
        bought.actions.tick(60)
        bought.actions.cycle()

    bought.actions.meanwhile = meanwhile
    for kind in ("renewed", "send"):
        bought.during(kind, nth, "meanwhile")
    bought.must_converge()


@pytest.mark.parametrize("nth", MOMENTS)
def test_a_second_and_a_third_worker_start_beside_the_first(bought, nth):
    bought.second_worker("send", nth)
    bought.second_worker("answer", nth)
    assert len(bought.ours()) == 2
    bought.must_converge()


def test_a_task_delivered_twice_runs_once(bought):
    bought.actions.tick(60)
    sync_cycle()
    bought.actions.requested.clear()
    sync_cycle()
    assert bought.actions.requested == []
    assert OcoGroup.objects.get().state == "ACTIVE"


def test_sixty_missed_runs_are_one(bought):
    bought.sync(3600)
    bought.sync(60)
    assert len(bought.ours()) == 2
    bought.must_converge()
