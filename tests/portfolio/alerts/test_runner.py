"""A round looks, makes and sends; what breaks in it breaks alone."""

import pytest

from portfolio import tasks
from portfolio.alerts import runner
from portfolio.alerts.runner import run_alert_checks
from portfolio.models import Alert
from tests.factories import AlertFactory, SyncRunFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch):
    found = []
    monkeypatch.setattr("portfolio.tasks.async_task", lambda name, *args, **_: found.append(name))
    return found


def test_a_look_that_breaks_stops_nothing_and_is_told_itself(post, clock, monkeypatch):
    def broken(now):
        raise RuntimeError("it holds PlantedWord")

    SyncRunFactory()
    AlertFactory(title="Something else")
    monkeypatch.setitem(runner.CHECKS, "desk", broken)
    run_alert_checks()
    run_alert_checks()
    assert sorted(post.titles) == [
        "DRY RUN · A monitoring check is failing",
        "DRY RUN · Everything is protected",
        "DRY RUN · Something else",
    ]
    assert not any("PlantedWord" in letter["message"] for letter in post.messages)
    monkeypatch.setitem(runner.CHECKS, "desk", lambda now: None)
    run_alert_checks()
    assert post.titles[-1] == "DRY RUN · Resolved: A monitoring check is failing"


def test_a_quiet_round_sends_and_writes_nothing(post, clock, django_assert_max_num_queries):
    SyncRunFactory()
    run_alert_checks()
    post.messages.clear()
    with django_assert_max_num_queries(40) as asked:
        assert run_alert_checks().sent == 0
    words = {query["sql"].split()[0] for query in asked.captured_queries}
    assert words <= {"SELECT"}
    assert post.messages == []


def test_what_a_cycle_raised_is_not_left_waiting_for_the_minute(desk, asked):
    AlertFactory()
    tasks.sync_cycle()
    assert "portfolio.tasks.send_alerts" in asked


def test_without_news_no_task_is_made(desk, asked):
    AlertFactory(state="SENT")
    tasks.sync_cycle()
    assert "portfolio.tasks.send_alerts" not in asked


def test_the_cycle_itself_sends_nothing(desk, post, asked):
    AlertFactory()
    tasks.sync_cycle()
    assert post.asked == []
    assert tasks.send_alerts() == "2 sent, 0 failed, 0 waiting"  # the daily one as well
    assert not Alert.objects.exclude(state="SENT").exists()


def test_the_task_says_how_it_went(post, clock):
    post.status = 500
    AlertFactory()
    assert tasks.send_alerts() == "0 sent, 1 failed, 0 waiting"
