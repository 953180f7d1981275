"""Fixtures that several folders use."""

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import SimpleTestCase
from django.utils import translation

from exchange.services.kill_switch_file import file_clear
from portfolio.api.state import forget_states
from portfolio.views.dashboard import forget_pages
from tests.exchange.simulator.world import World
from tests.share import SOAK
from tests.support import Desk
from tests.templates import Templates

DATABASE = {"db", "transactional_db", "django_db_serialized_rollback", "live_server"}


def pytest_collection_modifyitems(config, items):
    """What does not depend on the database was proved on SQLite: PostgreSQL is asked only for the rest."""
    kept = [item for item in items if is_due(item)]
    due = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in due])
    items[:] = kept


def is_due(item):
    if connection.vendor != "sqlite" and not uses_database(item):
        return False
    return SOAK or not (
        item.get_closest_marker("soak")
        or (connection.vendor != "sqlite" and item.get_closest_marker("any_database"))
    )


def uses_database(item):
    case = getattr(item, "cls", None)
    marked = item.get_closest_marker("django_db") or DATABASE & set(item.fixturenames)
    return bool(marked) or (case is not None and issubclass(case, SimpleTestCase))


@pytest.fixture(scope="session")
def templates(tmp_path_factory, worker_id):
    directory = tmp_path_factory.getbasetemp()
    return Templates(directory if worker_id == "master" else directory.parent)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings, templates):
    """Replaces the plugin's fixture of this name, with which each process runs all migrations."""
    with django_db_blocker.unblock():
        templates.create_test_database()
    yield
    with django_db_blocker.unblock():
        templates.destroy_test_database()


@pytest.fixture
def world():
    """An exchange with 10,000 USD on the account."""
    return World()


@pytest.fixture
def desk(db, world, monkeypatch, settings):
    """The program and that exchange, on the same clock."""
    with time_machine.travel(0, tick=False) as traveller:
        desk = Desk(world, monkeypatch, settings, traveller)
        desk.tick(0)
        yield desk


@pytest.fixture(autouse=True)
def reset_counters():
    """Start without counted requests: the counts are in the cache of the process. And with trading on."""
    cache.clear()
    forget_states()
    forget_pages()
    file_clear()


@pytest.fixture(autouse=True)
def default_language():
    """A view under test sets the reader's language and leaves it set in this thread."""
    translation.deactivate()
