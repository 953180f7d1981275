"""Fixtures that several folders use."""

import pytest
import time_machine

from tests.exchange.simulator.world import World
from tests.support import Desk


@pytest.fixture
def world():
    """An exchange with 10,000 USD on the account."""
    return World()


@pytest.fixture
def desk(db, world, monkeypatch, settings):
    """The program beside that exchange, in the same time."""
    with time_machine.travel(0, tick=False) as traveller:
        desk = Desk(world, monkeypatch, settings, traveller)
        desk.tick(0)
        yield desk
