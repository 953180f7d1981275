"""Trouble 5: kill -9 at every request, and before every write of a cycle (rules 6 and 15).

Here at a share of them, in `make soak` at each one.
"""

import pytest

from tests.oco.action_history import ActionHistory
from tests.share import SOAK

SHARE = {"lease": 10, "send": 6, "answer": 6, "write": 18}  # every so many moments


def bought(history):
    history.do("buy", "BTC_USD", "600", "USD")


def target_in_part(history):
    bought(history)
    history.do("sync")
    orders = history.actions.resting()
    history.do("fill_ours", [order.order_type for order in orders].index("LIMIT"), "0.4")


def below_the_stop(history):
    bought(history)
    history.do("move", "BTC_USD", "-7")


def released(history):
    bought(history)
    history.do("sync")
    history.do("release", 0)


def stop_gone(history):
    """A pair of which a hand cancelled one leg and the exchange left the other."""
    bought(history)
    history.do("sync")
    history.do("cancel_leg", 1)


BEFORE = {
    bought: {},
    target_in_part: {},
    below_the_stop: {},
    released: {},
    stop_gone: {"oco_leg_cancel": "one"},
}


@pytest.mark.parametrize("kind", SHARE)
@pytest.mark.parametrize("before", BEFORE, ids=lambda each: each.__name__)
def test_killed_anywhere_in_the_cycle_after(transactional_db, before, kind):
    assert cut_everywhere(before, kind, 1 if SOAK else SHARE[kind]) >= 1


def cut_everywhere(before, kind, share=1):
    """At every `share`-th moment of this kind, until the cycle ends before it comes; how many there were."""
    times, cut = 0, True
    while cut:
        times += 1
        history = ActionHistory(BEFORE[before])
        try:
            history.do("sync")
            before(history)
            history.do("killed", kind, times * share)
            cut = history.actions.died
            history.converge()
        finally:
            history.close()
    return times - 1
