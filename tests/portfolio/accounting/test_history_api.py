"""`GET /api/portfolio/history/`: recorded value over time."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from tests.factories import SnapshotFactory
from tests.support import queries

pytestmark = pytest.mark.django_db
ADDRESS = "/api/portfolio/history/"


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"


def asked(client, **query):
    answer = client.get(ADDRESS, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_before_anything_was_recorded_there_are_no_points(client):
    for span in ("1d", "1w", "1m", "3m", "all"):
        assert asked(client, range=span)["points"] == []


def test_a_point_says_when_and_how_much_in_text(client):
    at = timezone.now().replace(microsecond=0) - timedelta(hours=1)
    SnapshotFactory(at=at, total_usd=D("0.00000001"), cash_usd=None, unpriced=["XYZ"])
    (point,) = asked(client)["points"]
    assert point == {
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "total_usd": "0.00000001",
        "cash_usd": None,
        "unpriced": ["XYZ"],
        "reconstructed": False,
    }


@pytest.mark.parametrize(("span", "count"), [("1d", 1), ("1w", 2), ("1m", 3), ("3m", 4), ("all", 5)])
def test_a_named_span_reaches_so_far_back(client, span, count):
    for days in (0, 6, 29, 89, 1000):
        SnapshotFactory(at=timezone.now() - timedelta(days=days, seconds=1))
    assert len(asked(client, range=span)["points"]) == count


def test_from_and_to_are_taken_at_their_word(client):
    now = timezone.now().replace(microsecond=0)
    for hours in range(5):
        SnapshotFactory(at=now - timedelta(hours=hours), total_usd=D(hours))
    start, end = now - timedelta(hours=3), now - timedelta(hours=1)
    said = asked(client, **{"from": start.isoformat(), "to": end.isoformat()})
    assert [point["total_usd"] for point in said["points"]] == ["3", "2", "1"]
    assert (said["from"], said["to"]) == (f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}")


def test_at_most_five_hundred_points_in_the_same_statements(client):
    counts = []
    for count in (3, 700):
        for minutes in range(count):
            SnapshotFactory(at=timezone.now() - timedelta(minutes=minutes, seconds=count % 50))
        with queries() as statements:
            points = asked(client, range="1d")["points"]
        counts.append(len(statements))
    assert 230 <= len(points) <= 500
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "query",
    [
        {"range": "9y"},
        {"from": "yesterday"},
        {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"},
        {"from": "9999-12-31T23:59:59Z"},
    ],
)
def test_what_makes_no_sense_is_refused(client, query):
    assert client.get(ADDRESS, query).status_code == 400


@pytest.mark.parametrize(
    "query",
    [{"from": "0001-01-01T00:00:00Z"}, {"to": "9999-12-31T23:59:59Z"}, {"to": "0001-01-01T00:00:00Z"}],
)
def test_the_ends_of_time_are_answered(client, query):
    asked(client, **query)


def test_a_stranger_is_told_nothing(client, settings):
    settings.DASHBOARD_PUBLIC = "false"
    assert client.get(ADDRESS).status_code in (401, 403)
