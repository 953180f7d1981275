"""What goes and what stays."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import Task

from exchange.models import SyncRun
from portfolio.models import AlertMessage
from portfolio.tasks import tidy_up
from portfolio.worker import database
from portfolio.worker.database import delete_old_rows
from portfolio.worker.schedule import TASKS
from tests.factories import EventFactory, OrderFactory, SyncRunFactory, TradeFactory
from tests.support import queries

pytestmark = pytest.mark.django_db
MONEY = ("exchange_orders", "exchange_trades", "oco_events", "oco_groups", "oco_legs", "audit_entries")


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr(database, "MIN_RUNS_KEPT", 2)
    return timezone.now()


def runs(now, *days):
    return [SyncRunFactory(started_at=now - timedelta(days=age)) for age in days]


def test_old_cycles_go_and_young_ones_stay(now):
    kept = runs(now, 90, 60, 29, 1)[2:]
    assert delete_old_rows(now=now) == 2
    assert set(SyncRun.objects.all()) == set(kept)


def test_the_newest_cycles_stay_however_old(now):
    kept = runs(now, 90, 80, 70)[1:]
    delete_old_rows(now=now)
    assert set(SyncRun.objects.all()) == set(kept)


def test_the_setting_says_how_long(now, settings):
    settings.RETENTION_DAYS = 3
    runs(now, 9, 5, 1, 1)
    assert delete_old_rows(now=now) == 2


def test_failed_tasks_and_dead_sessions_go(now):
    for number, age in enumerate((40, 1)):
        moment = now - timedelta(days=age)
        Task.objects.create(
            id=str(number), name=str(number), func="f", started=moment, stopped=moment, success=False
        )
        Session.objects.create(
            session_key=str(number), session_data="", expire_date=now - timedelta(days=age - 2)
        )
    delete_old_rows(now=now)
    assert [task.id for task in Task.objects.all()] == ["1"]
    assert [session.session_key for session in Session.objects.all()] == ["1"]


def test_notes_of_messages_go_but_for_the_newest(now):
    for number in (1, 2):
        AlertMessage.objects.create(number=number, at=now - timedelta(days=90), alerts=1)
    delete_old_rows(now=now)
    assert [message.number for message in AlertMessage.objects.all()] == [2]


def test_one_run_takes_a_bounded_bite(now, monkeypatch):
    monkeypatch.setattr(database, "BATCH_SIZE", 3)
    runs(now, *[90] * 7)
    assert [delete_old_rows(now=now) for _ in range(3)] == [3, 2, 0]


def test_when_nothing_is_old_nothing_is_written(now):
    runs(now, 1, 1)
    with queries() as statements:
        delete_old_rows(now=now)
    assert not [one for one in statements if "DELETE" in one]


def test_what_records_money_stays_for_ever(now):
    long_ago = now - timedelta(days=4000)
    OrderFactory(created_at=long_ago, updated_at=long_ago)
    TradeFactory(traded_at=long_ago)
    EventFactory(at=long_ago)
    before = {
        model: model._default_manager.count() for model in apps.get_models() if model._meta.db_table in MONEY
    }
    delete_old_rows(now=now)
    assert {model: model._default_manager.count() for model in before} == before
    assert len(before) == len(MONEY)


def test_nothing_hangs_on_what_goes():
    """A row that goes takes no other one along."""
    assert not SyncRun._meta.related_objects


def test_it_runs_by_the_clock(now):
    assert ("portfolio.tasks.tidy_up", 60) in TASKS.values()
    assert tidy_up() == "0 old rows were deleted"
