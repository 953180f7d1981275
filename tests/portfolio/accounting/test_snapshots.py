"""What the account was worth: a value for each complete reading, none for any other, fewer as they grow old."""

from datetime import timedelta
from decimal import Decimal as D
from unittest import mock

import pytest
from django.utils import timezone

from exchange.services.lease import LeaseLost
from portfolio.accounting import equity_curve
from portfolio.accounting.equity_curve import DAILY, HOURLY, select_kept, snapshot_downsample
from portfolio.models import PortfolioSnapshot
from portfolio.tasks import thin_values
from tests.exchange.simulator.world import World
from tests.factories import SnapshotFactory
from tests.support import price_at_ratio


def test_a_cycle_records_what_the_account_is_worth(desk, world):
    world.deposit("BTC", "0.5")
    desk.sync_ok()
    row = PortfolioSnapshot.objects.get()
    assert row.total_usd == (10_000 + world.price("BTC_USD") / 2).quantize(D("0.01"))
    assert (row.cash_usd, row.unpriced, row.at) == (10_000, [], desk.now)


@pytest.mark.parametrize("method", ["private/user-balance", "public/get-tickers"])
def test_a_reading_that_failed_leaves_a_gap(desk, world, method):
    desk.sync_ok()
    world.faults.add("http", method=method, status=500)
    run = desk.sync()
    assert run.errors
    assert PortfolioSnapshot.objects.count() == 1


def test_a_balance_that_is_not_believed_leaves_a_gap(desk, world):
    desk.sync_ok()
    world.faults.add("empty", "private/user-balance")
    run = desk.sync()
    assert run.errors
    assert PortfolioSnapshot.objects.count() == 1


def test_an_open_order_changes_no_value(desk, world):
    world.deposit("BTC", "0.5")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    new, old = PortfolioSnapshot.objects.all()
    assert new.total_usd == old.total_usd


def test_an_account_without_anything_is_worth_nothing(desk):
    desk.world = World({})
    desk.sync_ok()
    assert PortfolioSnapshot.objects.get().total_usd == 0


@pytest.mark.parametrize("what", ["cost_update", "snapshot_value_record"])
def test_what_cannot_be_recorded_stops_no_cycle(desk, world, monkeypatch, what):
    world.buy("BTC_USD", "0.01")
    monkeypatch.setattr(f"portfolio.worker.cycle.{what}", mock.Mock(side_effect=ArithmeticError))
    run = desk.sync()
    assert (run.status, run.trades) == ("PARTIAL", 1)
    assert "could not be recorded" in " ".join(run.errors)


def test_a_lost_lease_stops_the_cycle(desk, monkeypatch):
    monkeypatch.setattr("portfolio.worker.cycle.cost_update", mock.Mock(side_effect=LeaseLost("gone")))
    assert desk.sync().status == "FAILED"


@pytest.mark.django_db
def test_the_task_thins():
    for minutes in (0, 1, 2):
        SnapshotFactory(at=timezone.now().replace(minute=30) - timedelta(days=3, minutes=minutes))
    assert thin_values().startswith("2 ")
    assert PortfolioSnapshot.objects.get().grain == "HOUR"


@pytest.mark.django_db
def test_thinning_keeps_what_the_rule_keeps_in_bounded_parts(monkeypatch):
    monkeypatch.setattr(equity_curve, "BATCH_SIZE", 10)
    now = timezone.now()
    for hours in range(0, 110 * 24, 11):
        for minutes in (0, 20, 25):
            SnapshotFactory(at=now - timedelta(hours=hours, minutes=minutes))
    moments = set(PortfolioSnapshot.objects.values_list("at_ms", flat=True))
    now_ms = int(now.timestamp() * 1000)
    first = snapshot_downsample(now=now, most=1)
    assert 0 < first <= 12
    for _ in range(40):
        snapshot_downsample(now=now)
    left = set(PortfolioSnapshot.objects.values_list("at_ms", flat=True))
    assert left == select_kept(select_kept(moments, HOURLY, now_ms), DAILY, now_ms)
    assert snapshot_downsample(now=now) == 0
