"""Messages follow one another at a pace that a person bears, and a failure is met with patience."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.alerts.delivery import HOUR, next_try, plan_batches, should_give_up

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def ago(*minutes):
    return [NOW - timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize(
    ("due", "sent", "sizes"),
    [
        (0, (), []),
        (3, (), [1, 1, 1]),
        (6, (), [1] * 6),
        (7, (), [7]),
        (200, (), [50]),
        (2, (30, 20, 10, 5, 1), [2]),  # one message is left
        (1, (30, 20, 15, 14, 13, 9), []),  # six have left: now one in ten minutes
        (5, (30, 20, 15, 14, 13, 10), [5]),
        (1, (61, 62, 63, 64, 65, 66), [1]),
        (1, (-110, -112, -114, -116, -118, -120), [1]),  # the clock was set back meanwhile
    ],
)
def test_so_many_leave_now(due, sent, sizes):
    assert [len(bundle) for bundle in plan_batches(range(due), ago(*sent), NOW)] == sizes


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=200))
def test_in_no_hour_more_than_twelve_leave_and_none_is_forgotten(news):
    now, waiting, sent, told = NOW, 0, [], 0
    for minutes, fresh in [*news, *[(10, 0)] * 20]:
        now += timedelta(minutes=minutes)
        waiting += fresh
        found = plan_batches(range(waiting), sent, now)
        told += sum(map(len, found))
        waiting -= sum(map(len, found))
        sent += [now] * len(found)
        assert len([moment for moment in sent if moment > now - HOUR]) <= 12
    total = sum(fresh for _, fresh in news)
    assert told + waiting == total
    assert waiting == 0 or total > 500


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (30, 60)])
def test_the_next_try_comes_later_each_time(attempts, minutes):
    assert next_try(attempts=attempts, now=NOW) == NOW + timedelta(minutes=minutes)


def test_after_a_day_it_is_given_up():
    assert not should_give_up(first_tried_at=NOW - timedelta(hours=23, minutes=59), now=NOW)
    assert should_give_up(first_tried_at=NOW - timedelta(days=1), now=NOW)
