"""A database with real commits, emptied by hand: what dies in the middle leaves what it had committed."""

import pytest

from tests.oco.rig import clear_database


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """Cheaper than `transactional_db`, which makes all permissions anew after each test."""
    with django_db_blocker.unblock():
        clear_database()
        yield
        clear_database()
