"""The daily alert says what has no protection, or that everything has."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import IntegrityError
from django.utils import timezone

from portfolio.alerts.daily_report import daily_alert_raise
from portfolio.alerts.delivery import alert_deliver_all
from portfolio.alerts.runner import run_alert_checks
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    SyncRunFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known(clock):
    """The account was read a moment ago."""
    InstrumentFactory()
    SyncRunFactory()


def told(now=None):
    return daily_alert_raise(now=now or timezone.now())


def test_what_has_no_stop_is_told_with_everything_one_needs(settings, post, clock):
    settings.TIME_ZONE, settings.DESK_URL = "UTC", "https://desk.example.org"
    BalanceFactory()
    GroupFactory(
        state="STOP_FAILED",
        reason="Refused: 306.",
        uncovered_since=datetime(2026, 8, 1, 5, 30, tzinfo=UTC),
    )
    alert = told()
    assert alert_title(alert) == "1 unprotected position"
    assert "• BTC/USD: 0.01000, worth $600.00, since 2026-08-01 05:30:00 UTC. Refused: 306." in alert_text(
        alert
    )
    assert "• BTC/USD: 0.09000000, worth $5,400.00, since unknown date. You held this before" in alert_text(
        alert
    )
    assert "total value $6,000.00:" in alert_text(alert)
    alert_deliver_all(clock=clock)
    assert "https://desk.example.org/protection/" in post.messages[0]["message"]


def test_it_also_says_that_everything_is_protected():
    BalanceFactory(quantity=Decimal("0.01"))
    GroupFactory()
    alert = told()
    assert alert_title(alert) == "Everything is protected"
    assert "1 group active" in alert_text(alert)


def test_a_released_lot_is_repeated_while_its_coins_are_there():
    BalanceFactory(quantity=Decimal("0.01"))
    GroupFactory(state="RELEASED", closed_at=timezone.now() - timedelta(days=3), reason="Cancelled by hand.")
    assert "Protection removed manually" in alert_text(told())
    BalanceFactory._meta.model.objects.update(quantity=Decimal(0))
    later = timezone.now() + timedelta(days=1)
    assert "Protection removed" not in alert_text(told(later))


def test_figures_that_are_old_say_so():
    """What was protected yesterday is not called protected, least of all in what a phone shows."""
    BalanceFactory(quantity=Decimal("0.01"))
    GroupFactory()
    alert = told(timezone.now() + timedelta(days=1))
    assert alert_title(alert) == "The data is old."
    assert alert_text(alert).startswith("These figures are outdated: the last complete sync was 2026-08-01")


def test_alerts_that_never_arrived_are_mentioned():
    AlertFactory(state="FAILED")
    assert "1 earlier alert could not be sent" in alert_text(told())


def test_before_the_first_cycle_there_is_nothing_to_tell():
    SyncRunFactory._meta.model.objects.all().delete()
    assert told() is None
    assert not Alert.objects.exists()


def test_it_is_made_once_a_local_date():
    assert told() is not None
    assert told() is None
    assert told(timezone.now() + timedelta(hours=19, minutes=59)) is None
    assert told(timezone.now() + timedelta(hours=20)).daily_date == date(2026, 8, 2)


def test_the_database_refuses_a_second_one():
    AlertFactory(daily_date=date(2026, 8, 1))
    with pytest.raises(IntegrityError):
        AlertFactory(daily_date=date(2026, 8, 1))


def test_two_that_look_at_the_same_moment_make_one(monkeypatch):
    monkeypatch.setattr("portfolio.alerts.daily_report.last_daily_date", lambda: None)
    assert told() is not None
    assert told() is None
    assert Alert.objects.count() == 1


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", ["2026-10-03 08:00", "2026-10-04 08:00", "2026-10-05 08:00"]),
        ("Europe/Madrid", ["2026-10-24 06:00", "2026-10-25 07:00", "2026-10-26 07:00"]),
        ("Australia/Lord_Howe", ["2026-10-02 21:30", "2026-10-03 21:00", "2026-10-04 21:00"]),
        ("America/New_York", ["2026-10-31 12:00", "2026-11-01 13:00", "2026-11-02 13:00"]),
    ],
)
def test_it_is_made_at_eight_local_over_a_change_of_the_clocks(settings, zone, days):
    """Lord Howe puts its clocks on by half an hour on 4 October 2026; the others by an hour."""
    settings.TIME_ZONE = zone
    start = datetime.fromisoformat(days[0]).replace(tzinfo=UTC) - timedelta(minutes=30)
    eve = start.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    AlertFactory(daily_date=eve, kind="DAILY", state="SENT")
    made = []
    for half_hour in range(3 * 24 * 2):
        now = start + timedelta(minutes=30 * half_hour)
        with time_machine.travel(now, tick=False), timezone.override(zone):
            made += [f"{now:%Y-%m-%d %H:%M}"] if told(now) else []
    assert made == days


def test_missed_because_nobody_was_there_it_comes_late(post, clock):
    AlertFactory(daily_date=date(2026, 7, 30), kind="DAILY", state="SENT")
    run_alert_checks()
    assert post.titles == ["DRY RUN · Everything is protected"]
    assert Alert.objects.latest("id").daily_date == date(2026, 8, 1)
