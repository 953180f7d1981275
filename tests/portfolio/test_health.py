"""What `GET /health` says to whoever watches the desk."""

from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from tests.factories import (
    BalanceFactory,
    GroupFactory,
    HeartbeatFactory,
    InstrumentFactory,
    StreamRecordFactory,
    SyncRunFactory,
)


@pytest.fixture
def ask():
    return lambda: Client().get("/health")


@pytest.mark.django_db
def test_it_is_ok_when_the_worker_lives_and_the_sync_is_fresh(ask):
    HeartbeatFactory()
    run = SyncRunFactory(age=5)
    answer = ask()
    said = answer.json()
    assert (answer.status_code, said["status"], said["reasons"]) == (200, "ok", [])
    assert (said["mode"], said["database"], said["worker"]) == ("DRY_RUN", "ok", {"age_seconds": 0})
    assert said["version"].count(".") == 2
    assert said["sync"]["interval_seconds"] == 60
    assert said["sync"]["last_success"].endswith("Z")
    assert abs(datetime.fromisoformat(said["sync"]["last_success"]) - run.finished_at).total_seconds() < 0.001


@pytest.mark.django_db
def test_it_is_degraded_before_the_first_sync(ask):
    answer = ask()
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["reasons"] == ["The worker has never been seen.", "No sync has succeeded yet."]


@pytest.mark.django_db
def test_it_is_degraded_when_the_worker_falls_silent(ask):
    HeartbeatFactory(beat_at=timezone.now() - timedelta(seconds=31))
    HeartbeatFactory(name="another process")
    SyncRunFactory()
    assert ask().json()["reasons"] == ["The worker has been silent for 31 s."]


@pytest.mark.django_db
def test_one_living_worker_is_enough(ask):
    HeartbeatFactory(name="worker-old", beat_at=timezone.now() - timedelta(days=1))
    HeartbeatFactory(name="worker-new")
    SyncRunFactory()
    assert ask().json()["status"] == "ok"


@pytest.mark.django_db
def test_it_is_degraded_when_the_sync_is_late_and_says_what_failed(ask):
    HeartbeatFactory()
    SyncRunFactory(age=100)
    SyncRunFactory(failed=True)
    late, failed = ask().json()["reasons"]
    assert late.startswith("The last complete sync is 100 s ago")
    assert failed == "The last sync failed: The exchange cannot be reached: connection refused."


@pytest.mark.django_db
def test_a_sync_that_failed_is_not_called_late_while_the_last_one_is_not(ask):
    HeartbeatFactory()
    SyncRunFactory(age=14)
    SyncRunFactory(failed=True)
    (reason,) = ask().json()["reasons"]
    assert reason.startswith("The last sync failed: ")


@pytest.mark.django_db
def test_it_needs_no_login(ask, settings):
    settings.DASHBOARD_PUBLIC = "false"
    assert ask().status_code == 200


GONE = {
    "sqlite": "The database cannot be used (OperationalError).",
    "postgresql": "The database server does not answer, or refuses the connection. "
    "Check that it runs and that DATABASE_URL is right.",
}


@pytest.fixture
def broken_database(monkeypatch):
    """Every read fails as it does when the server is gone."""

    def fail(*args, **kwargs):
        raise OperationalError("could not connect to server: secret-host:5432")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", fail)


def test_it_is_down_when_the_database_cannot_be_read(ask, broken_database):
    answer = ask()
    said = answer.json()
    assert (answer.status_code, said["status"]) == (503, "down")
    assert said["reasons"] == [GONE[connection.vendor]]
    assert list(said) == ["status", "reasons", "mode", "version", "database", "worker", "sync", "attention"]
    assert "secret-host" not in answer.content.decode()


def test_the_api_says_no_more_than_that_it_failed(broken_database):
    client = Client(raise_request_exception=False)
    answer = client.get("/api/dashboard/state")
    assert answer.status_code == 503
    assert list(answer.json()) == ["detail"]
    assert "secret-host" not in answer.content.decode()


@pytest.mark.django_db
class TestStream:
    @pytest.fixture(autouse=True)
    def listening(self, settings):
        settings.STREAM_ENABLED = True
        HeartbeatFactory()
        SyncRunFactory(age=5)

    def test_live(self, ask):
        record = StreamRecordFactory()
        said = ask().json()
        assert (said["status"], said["sync"]["stream"]["status"]) == ("ok", "live")
        for name in ("since", "last_message_at"):
            shown = datetime.fromisoformat(said["sync"]["stream"][name])
            assert abs(shown - getattr(record, name)) < timedelta(milliseconds=1)

    def test_connecting_again_takes_a_moment(self, ask):
        StreamRecordFactory(status="down", age=5)
        said = ask().json()
        assert (said["status"], said["sync"]["stream"]["status"]) == ("ok", "down")

    def test_down_for_longer_is_a_reason(self, ask):
        StreamRecordFactory(status="down", age=11)
        assert ask().json()["status"] == "degraded"
        assert "live stream has been down since" in ask().json()["reasons"][0]

    def test_a_listener_that_says_nothing_hears_nothing(self, ask):
        StreamRecordFactory(beat_at=timezone.now() - timedelta(seconds=45))
        assert ask().json()["sync"]["stream"]["status"] == "down"

    def test_off(self, ask, settings):
        settings.STREAM_ENABLED = False
        StreamRecordFactory()
        assert ask().json()["sync"]["stream"] == {"status": "off", "since": None, "last_message_at": None}

    def test_the_page_says_it_too(self):
        StreamRecordFactory(status="down", age=45)
        shown = Client().get("/")
        assert shown.status_code == 200
        assert "live stream has been down since" in shown.content.decode()
        panels = Client().get("/", headers={"HX-Request": "true", "X-Live": "old "})
        assert "live stream has been down since" in panels.content.decode()


@pytest.mark.django_db
class TestAttention:
    """Counted as on the pages; only protection that should be there and is not makes the desk degraded."""

    @pytest.fixture(autouse=True)
    def working(self):
        HeartbeatFactory()
        SyncRunFactory(age=5)
        InstrumentFactory()
        BalanceFactory()

    def test_a_position_that_was_never_protected_is_counted(self, ask):
        said = ask().json()
        assert (said["status"], said["attention"]) == ("ok", 1)

    def test_a_stop_that_is_missing_is_a_reason(self, ask):
        GroupFactory(state="STOP_FAILED")
        said = ask().json()
        assert (said["status"], said["attention"]) == ("degraded", 1)
        assert said["reasons"] == ["Positions whose stop is missing or not confirmed: 1."]
