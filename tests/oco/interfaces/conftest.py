"""A desk that protects, the commands beside it, and Alice, who owns it."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from tests.factories import UserFactory

COMMANDS = ("kill_switch", "oco_plan")


@pytest.fixture
def desk(desk, settings, monkeypatch):
    settings.AUTO_PROTECT = True
    for name in COMMANDS:
        monkeypatch.setattr(f"oco.management.commands.{name}.client_from_settings", desk.client)
    monkeypatch.setattr("oco.management.commands.kill_switch.time.sleep", desk.tick)
    return desk


@pytest.fixture
def held(desk, world):
    """The desk knows the account; then 0.01 bitcoin are bought and protected."""
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    return order


@pytest.fixture
def run():
    """A command, and what it said."""

    def run(*words: str) -> str:
        out = StringIO()
        call_command(*words, stdout=out, stderr=out)
        return out.getvalue()

    return run


@pytest.fixture
def alice(db) -> Client:
    client = Client()
    client.force_login(UserFactory())
    return client
