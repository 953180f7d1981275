"""Every cycle leaves a record, however it ends."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.models import SyncRun
from exchange.services.lease import Lease
from exchange.services.runs import run_finish, run_start

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def start(token):
    return run_start(lease=Lease(token, "cycle test"), trigger="test", now=NOW)


@pytest.mark.parametrize(
    ("errors", "failed", "status"),
    [([], False, "OK"), (["Trades: no."], False, "PARTIAL"), (["No."], True, "FAILED")],
)
def test_how_it_ended(errors, failed, status):
    run_finish(run=start(1), errors=errors, failed=failed, now=NOW + timedelta(milliseconds=812))
    run = SyncRun.objects.get()
    assert (run.status, run.errors, run.duration_ms) == (status, errors, 812)
    assert run.finished_at == NOW + timedelta(milliseconds=812)


@pytest.mark.parametrize(("days", "duration_ms"), [(-120, 0), (120, 2**31 - 1)])
def test_a_clock_that_was_set_during_a_cycle_does_not_lose_its_record(days, duration_ms):
    run_finish(run=start(1), errors=[], failed=False, now=NOW + timedelta(days=days))
    assert SyncRun.objects.get().duration_ms == duration_ms


def test_a_killed_cycle_is_closed_by_the_next_one():
    start(1)
    start(2)
    killed, running = SyncRun.objects.order_by("token")
    assert (killed.status, running.status) == ("FAILED", "RUNNING")
    assert "stopped in the middle" in killed.errors[0]


def test_a_cycle_that_wakes_late_does_not_close_its_successor():
    start(2)
    start(1)
    assert set(SyncRun.objects.values_list("status", flat=True)) == {"RUNNING"}


@pytest.mark.parametrize("years", [-60, 8000])
def test_a_clock_that_is_wrong_by_years_does_not_fail_the_record(years):
    run = start(1)
    run.clock_offset_ms = years * 365 * 24 * 3_600_000
    run_finish(run=run, errors=[], failed=False, now=NOW)
    run.refresh_from_db()
    assert abs(run.clock_offset_ms) >= 2**31 - 1
