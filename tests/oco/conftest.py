"""A database with real commits: an interrupted cycle leaves what it had committed."""

import pytest

from tests.oco.harness import clear_database


@pytest.fixture
def transactional_db(django_db_setup, django_db_blocker):
    """Replaces the plugin's fixture of this name, which recreates all permissions after each test."""
    with django_db_blocker.unblock():
        clear_database()
        yield
        clear_database()
