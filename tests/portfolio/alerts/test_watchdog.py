"""The web process notices that the worker is silent, and tells it itself."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from portfolio.alerts import runner
from portfolio.alerts.runner import watchdog_check
from portfolio.alerts.system_checks import check_system
from portfolio.models import Alert
from tests.factories import AlertFactory, HeartbeatFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def ago(**amount):
    return timezone.now() - timedelta(**amount)


def look(since=HOUR):
    return watchdog_check(now=timezone.now(), since=timezone.now() - since)


def test_three_minutes_of_silence_are_told_once_and_sent_from_here(post, clock):
    HeartbeatFactory(beat_at=ago(seconds=181))
    AlertFactory(title="What the worker left behind")
    assert look()
    assert look()
    assert sorted(post.titles) == [
        "DRY RUN · The worker is not responding",
        "DRY RUN · What the worker left behind",
    ]


def test_a_restart_is_no_silence(post, clock):
    HeartbeatFactory(beat_at=ago(seconds=179))
    assert not look()
    assert post.messages == []


def test_silence_from_before_we_looked_does_not_count(post, clock):
    HeartbeatFactory(beat_at=ago(days=1))
    assert not look(since=timedelta(seconds=60))
    assert look(since=timedelta(seconds=180))


def test_a_worker_that_never_was_is_not_missed(post, clock):
    assert not look()


def test_back_at_work_it_says_so(post, clock):
    beat = HeartbeatFactory(beat_at=ago(hours=1))
    look()
    beat.beat_at = timezone.now()
    beat.save()
    check_system(now=timezone.now())
    check_system(now=timezone.now())
    assert list(Alert.objects.order_by("id").values_list("kind", flat=True)) == ["WORKER", "WELL"]


class Enough(BaseException):
    """Ends the watch of a test."""


def test_a_database_that_is_away_does_not_end_the_watch(monkeypatch, caplog):
    looks = []

    def away(**_):
        looks.append(1)
        raise Enough if len(looks) > 2 else OperationalError("gone")

    monkeypatch.setattr(runner, "watchdog_check", away)
    monkeypatch.setattr(runner, "close_old_connections", lambda: None)
    monkeypatch.setattr(runner.connection, "close", lambda: None)
    monkeypatch.setattr("exchange.services.lease.time.sleep", lambda seconds: None)
    with pytest.raises(Enough):
        runner._watchdog_loop()
    assert len(looks) == 3
    assert "retrying" in caplog.text
