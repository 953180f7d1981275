"""What lasts about a position is told once, and once that it is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portfolio.models import Alert
from portfolio.services.alerts import alert_raise_all
from tests.factories import EventFactory, GroupFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def broken(clock, monkeypatch):
    """The invariants that do not hold; these rows have no orders behind them to judge by."""
    words = []
    monkeypatch.setattr("portfolio.services.alerts.invariants_broken", lambda: words)
    return words


def look():
    alert_raise_all(now=timezone.now())
    return [alert.kind for alert in Alert.objects.order_by("id")]


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def become(group, state, **changes):
    for name, value in {"state": state, **changes}.items():
        setattr(group, name, value)
    group.save()


def test_unknown_is_told_after_two_cycles(settings):
    settings.SYNC_INTERVAL_SECONDS = 30
    group = GroupFactory(state="UNKNOWN", state_since=ago(60))
    assert look() == []
    become(group, "UNKNOWN", state_since=ago(61))
    assert look() == look() == ["UNKNOWN"]


@pytest.mark.parametrize(("interval", "seconds"), [(30, 60), (60, 120), (120, 180)])
def test_naked_is_told_after_two_cycles_and_at_most_three_minutes(settings, interval, seconds):
    settings.SYNC_INTERVAL_SECONDS = interval
    group = GroupFactory(state="PENDING", uncovered_since=ago(seconds))
    assert look() == []
    become(group, "PENDING", uncovered_since=ago(seconds + 1))
    assert look() == look() == ["UNPROTECTED"]


def test_all_troubles_of_a_group_end_with_one_message():
    group = GroupFactory(state="UNKNOWN", state_since=ago(500), uncovered_since=ago(500))
    EventFactory(group=group, old="PENDING", new="STOP_FAILED", reason="Refused three times.")
    assert sorted(look()) == ["STOP_FAILED", "UNKNOWN", "UNPROTECTED"]
    become(group, "ACTIVE", uncovered_since=None, reason="Stop and target were read back open.")
    assert [kind for kind in look() if kind == "WELL"] == ["WELL"]
    well = Alert.objects.get(kind="WELL")
    assert (well.title, well.oco_group_id) == ("Well again: BTC_USD", group.pk)
    assert not Alert.objects.exclude(kind="WELL").filter(ended_at=None).exists()


def test_an_end_speaks_for_itself():
    group = GroupFactory(state="UNKNOWN", state_since=ago(500))
    look()
    become(group, "CLOSED_BY_STOP", closed_at=timezone.now())
    EventFactory(group=group, old="UNKNOWN", new="CLOSED_BY_STOP", reason="The stop was filled.")
    assert look() == look() == ["UNKNOWN", "CLOSED"]
    assert not Alert.objects.filter(ended_at=None).exists()  # mere news needs nobody either


def test_a_stop_that_fails_each_cycle_is_one_alert():
    group = GroupFactory(state="STOP_FAILED")
    for _ in range(3):
        EventFactory(group=group, old="REPLACING", new="STOP_FAILED")
        assert look() == ["STOP_FAILED"]


def test_exit_and_release_are_told_once_each():
    group = GroupFactory(state="EXITING")
    EventFactory(group=group, old="ACTIVE", new="EXITING")
    EventFactory(group=group, old="EXITING", new="RELEASED")
    assert look() == look() == ["EXIT", "RELEASED"]


def test_books_that_add_up_again_are_told(broken):
    broken.append("Lot 1 has 2 open groups.")
    assert look() == look() == ["INVARIANT"]
    broken.clear()
    assert look() == look() == ["INVARIANT", "WELL"]
