"""A tale is told in the verbs of `Life`, judged after each of them, and must end well when all is calm again."""

from functools import partial

import pytest

from tests.oco.action_history import ActionHistory
from tests.oco.support import ours


class Scenario:
    def __init__(self, **begin):
        self.history = ActionHistory(begin)
        self.actions = self.history.actions
        self.world = self.actions.world
        self.sync()

    def __getattr__(self, verb):
        return partial(self.history.do, verb)

    def resting(self):
        """(type, quantity) of our open orders."""
        return sorted((order.order_type, order.quantity) for order in self.actions.resting())

    def target(self):
        """The number of the resting target, for verbs that ask for one."""
        return next(
            number for number, order in enumerate(self.actions.resting()) if order.order_type == "LIMIT"
        )

    def ours(self):
        return ours(self.world)

    def requests(self, part):
        """How many requests of the last cycle have this in their name."""
        return sum(part in method for method in self.actions.requested)

    def must_converge(self):
        """Every coin is covered after a healthy while, and nothing more is sent."""
        self.history.converge()


@pytest.fixture
def new_scenario(transactional_db):
    """`tell(rich=False, ack_delay_ms=2000)` begins a tale; the desk has looked at the account once."""
    scenarios = []

    def begin(**begin):
        scenarios.append(Scenario(**begin))
        return scenarios[-1]

    yield begin
    for scenario in scenarios:
        scenario.history.close()


@pytest.fixture
def scenario(new_scenario):
    return new_scenario()


@pytest.fixture
def bought(scenario):
    """600 dollars of bitcoin that no cycle has seen yet; the fee was paid in dollars."""
    scenario.buy("BTC_USD", "600", "USD")
    return scenario


@pytest.fixture
def covered(bought):
    bought.sync()
    assert len(bought.resting()) == 2
    return bought
