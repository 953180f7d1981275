"""A tale is told in the verbs of `Life`, judged after each of them, and must end well when all is calm again."""

from functools import partial

import pytest

from tests.oco.history import History
from tests.oco.support import ours


class Tale:
    def __init__(self, **begin):
        self.history = History(begin)
        self.life = self.history.life
        self.world = self.life.world
        self.sync()

    def __getattr__(self, verb):
        return partial(self.history.do, verb)

    def resting(self):
        """(type, quantity) of our open orders."""
        return sorted((order.order_type, order.quantity) for order in self.life.resting())

    def target(self):
        """The number of the resting target, for verbs that ask for one."""
        return next(number for number, order in enumerate(self.life.resting()) if order.order_type == "LIMIT")

    def ours(self):
        return ours(self.world)

    def requests(self, part):
        """How many requests of the last cycle have this in their name."""
        return sum(part in method for method in self.life.asked)

    def ends_well(self):
        """Every coin is covered after a healthy while, and nothing more is sent."""
        self.history.converge()


@pytest.fixture
def tell(transactional_db):
    """`tell(rich=False, ack_delay_ms=2000)` begins a tale; the desk has looked at the account once."""
    tales = []

    def begin(**begin):
        tales.append(Tale(**begin))
        return tales[-1]

    yield begin
    for tale in tales:
        tale.history.close()


@pytest.fixture
def tale(tell):
    return tell()


@pytest.fixture
def bought(tale):
    """600 dollars of bitcoin that no cycle has seen yet; the fee was paid in dollars."""
    tale.buy("BTC_USD", "600", "USD")
    return tale


@pytest.fixture
def covered(bought):
    bought.sync()
    assert len(bought.resting()) == 2
    return bought
