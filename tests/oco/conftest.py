"""A database with real commits, emptied by hand: what dies in the middle leaves what it had committed."""

import pytest

from tests.oco.harness import clear_database


@pytest.fixture
def transactional_db(django_db_setup, django_db_blocker):
    """In place of the plugin's, which makes all permissions anew after each test; it knows it by this name."""
    with django_db_blocker.unblock():
        clear_database()
        yield
        clear_database()
