"""A channel that can be looked into, and a clock that the test moves."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.portfolio.alerts.post import AlertServer

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def post(settings):
    server = AlertServer()
    settings.ALERT_URLS = server.url()
    yield server
    server.close()


@pytest.fixture
def clock():
    """The time; `clock.tick(minutes=5)` moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Clock(traveller)


class Clock:
    def __init__(self, traveller):
        self._traveller = traveller

    def __call__(self):
        return datetime.now(tz=UTC)

    def tick(self, **amount):
        self._traveller.shift(timedelta(**amount))
