"""The recorded value over time: few points, gaps, and the change over a day."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from portfolio.accounting.equity_curve import change_24h, curve, parse_span, values_between, width_ms
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import BalanceChange
from tests.factories import SnapshotFactory
from tests.support import queries

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0)


def recorded(now, *ages, **changes):
    for age in ages:
        SnapshotFactory(at=now - age, **changes)


def change(total, read_at, *unpriced):
    return change_24h(total, unpriced=unpriced, read_at=read_at, usd_prices={"USD": D(1)})


def flow(moment, amount, **changes):
    """`amount` USD that came or went, first read at `moment`."""
    at_ns = int(moment.timestamp() * 1000) * 1_000_000
    told = {"recorded_at": moment + MINUTE, "price_usd": D(1), "since_ns": at_ns}
    BalanceChange.objects.create(currency="USD", change=D(amount), **(told | changes))


def test_each_stretch_shows_its_last_value(now):
    for minutes in range(100):
        recorded(now, minutes * MINUTE, total_usd=D(minutes))
    points = values_between(now - 99 * MINUTE, now, most=10)
    assert len(points) == 10
    assert [point.total_usd for point in points[-2:]] == [10, 0]


@pytest.mark.parametrize("seconds", [0, 1, 499, 500, 501, 86_400])
def test_there_are_never_more_points_than_asked_for(now, seconds):
    start = now - timedelta(seconds=seconds)
    width = width_ms(start, now, 500)
    assert (seconds * 1000) // width < 500


def test_as_many_statements_for_many_values_as_for_few(now):
    counts = []
    for count in (5, 300):
        recorded(now, *(n * MINUTE + count * timedelta(seconds=1) for n in range(count)))
        with queries() as statements:
            curve("all", now=now)
        counts.append(len(statements))
    assert counts == [2, 2]


def test_a_gap_stays_a_gap(now):
    recorded(now, *(n * MINUTE for n in range(60) if not 20 < n < 40))
    points = values = curve("all", now=now, most=60).points
    assert [point[1] for point in points].count(None) == 1
    place = [value for _, value in values].index(None)
    assert now - 40 * MINUTE < points[place][0] < now - 20 * MINUTE


def test_old_values_lie_further_apart_without_a_gap(now):
    hours = [timedelta(hours=n) for n in range(50, 120)]
    recorded(now, *hours, *(timedelta(days=n) for n in range(91, 120)), *(n * MINUTE for n in range(48 * 60)))
    gaps = [at for at, value in curve("1w", now=now).points if value is None]
    assert gaps == []


def test_the_span_is_one_that_we_know():
    assert [parse_span(given) for given in ({}, {"range": "1M"}, {"range": "9y"})] == ["1w", "1m", "1w"]


def test_the_change_is_against_the_nearest_value_a_day_ago(now):
    recorded(now, DAY - 4 * MINUTE, total_usd=D(1))
    recorded(now, DAY + 2 * MINUTE, total_usd=D(9_000))
    found = change(D("9900.00"), now)
    assert (found.usd, found.pct, found.since) == (900, 10, now - DAY - 2 * MINUTE)


def test_no_change_is_told_when_nothing_was_recorded_near(now):
    recorded(now, DAY - 11 * MINUTE, DAY + 11 * MINUTE)
    assert change(D(1), now) is None
    assert change(None, now) is None
    assert change(D(1), None) is None


def test_no_change_is_told_between_totals_of_different_coins(now):
    recorded(now, DAY, unpriced=["XYZ"])
    assert change(D(1), now, "ABC") is None
    assert change(D(1), now, "XYZ") is not None


def test_from_nothing_there_is_a_change_without_a_percentage(now):
    recorded(now, DAY, total_usd=D(0))
    assert change(D(5), now).pct is None


def test_what_came_in_is_no_gain_and_what_left_no_loss(now):
    recorded(now, DAY, total_usd=D(10_000))
    flow(now - 3 * MINUTE, 5_000)
    flow(now - 30 * MINUTE, -2_000)
    flow(now - DAY - 30 * MINUTE, 700)
    found = change(D("13130.00"), now)
    assert (found.usd, found.net_flows_usd, found.pct) == (130, 3_000, D("1.00"))


@pytest.mark.parametrize(("after", "counted"), [(MINUTE, 500), (30 * timedelta(seconds=1), 0)])
def test_what_the_value_of_then_holds_already_does_not_count(now, after, counted):
    """A cycle reads the balance, and a few seconds later notes when it did."""
    recorded(now, DAY, DAY - MINUTE, total_usd=D(10_000))
    flow(now - DAY + after, 500)
    assert change(D(10_000), now).net_flows_usd == counted


def test_what_went_back_counts_twice_and_so_not_at_all(now):
    recorded(now, DAY, total_usd=D(10_000))
    flow(now - 300 * MINUTE, 500)
    flow(now - 300 * MINUTE, -500, is_reversal=True, recorded_at=now - 100 * MINUTE)
    assert change(D(10_000), now).net_flows_usd == 0
    flow(now - DAY - 300 * MINUTE, -800, is_reversal=True, recorded_at=now - 10 * MINUTE)
    assert change(D(9_200), now).usd == 0


def test_a_deposit_is_no_gain_from_its_first_reading_on(desk, world):
    desk.sync_ok()
    desk.sync_ok()
    for _ in range(5):
        world.deposit("USD", 5_000)
        for _ in range(3):
            desk.sync_ok()
            SnapshotFactory(at=desk.now - DAY, total_usd=D(10_000))
            summary = load_dashboard().summary
            assert summary.change_24h_usd == 0
            assert summary.net_flows_24h_usd == summary.total_usd - 10_000


def test_a_trade_is_no_flow(desk, world):
    for _ in range(3):
        desk.sync_ok()
    SnapshotFactory(at=desk.now - DAY, total_usd=D(10_000))
    world.buy("BTC_USD", "0.1")
    for _ in range(3):
        desk.sync_ok()
        summary = load_dashboard().summary
        assert summary.net_flows_24h_usd == 0
        assert summary.change_24h_usd == summary.total_usd - 10_000
