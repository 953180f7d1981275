"""Alice, her bitcoin, and a picture that is five seconds old."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from tests.factories import BalanceFactory, InstrumentFactory, PolicyFactory, SyncRunFactory, UserFactory

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alice(db, clock):
    """Logged in, her password just given, no script in her browser; every form needs its CSRF token."""
    client = Client()
    client.force_login(UserFactory())
    return client


@pytest.fixture
def bitcoin(db, clock):
    """A tenth of a bitcoin at 60,000 USD, beside 4,000 USD."""
    PolicyFactory()
    SyncRunFactory()
    BalanceFactory(currency="USD", quantity=Decimal(4000), price_usd=Decimal(1))
    BalanceFactory()
    return InstrumentFactory()
