"""Which recorded values stay: the same ones, however often and however late it is asked."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from exchange.core.times import to_ms
from portfolio.accounting.equity_curve import DAILY, DAY_MS, HOUR_MS, HOURLY, downsample_before, select_kept

NOW = to_ms(datetime(2026, 5, 1, 12, 34, 56, tzinfo=UTC))
moments = st.sets(st.integers(NOW - 200 * DAY_MS, NOW), max_size=60)
clustered = st.sets(st.integers(0, 400).map(lambda n: NOW - 3 * DAY_MS + n * 7 * 60_000), max_size=100)


def ms(**ago):
    return NOW - int(timedelta(**ago).total_seconds() * 1000)


def thinned(found, now=NOW):
    return select_kept(select_kept(found, HOURLY, now), DAILY, now)


def test_everything_stays_for_two_days():
    found = {ms(minutes=n) for n in range(2 * 24 * 60)}
    assert thinned(found) == found


def test_then_the_last_of_each_hour():
    found = {ms(days=3, minutes=n) for n in range(180)}
    stay = thinned(found)
    assert [moment % HOUR_MS // 60_000 for moment in sorted(stay)][:-1] == [59, 59, 59]
    assert max(stay) == max(found)


def test_after_ninety_days_the_last_of_each_day():
    found = {ms(days=100, hours=n) for n in range(72)}
    stay = thinned(found)
    assert len({moment // DAY_MS for moment in found}) == len(stay) == 4
    assert max(found) in stay


@given(moments | clustered)
def test_the_last_of_every_stretch_is_among_them(found):
    for step in (HOURLY, DAILY):
        stay = select_kept(found, step, NOW)
        assert stay <= found
        for moment in found - stay:
            same = {one for one in stay if one // step.width_ms == moment // step.width_ms}
            assert len(same) == 1
            assert max(same) > moment
            assert moment < downsample_before(step, NOW)


@given(moments | clustered, st.lists(st.integers(0, 100 * DAY_MS), max_size=4))
def test_thinning_on_the_way_changes_nothing_in_the_end(found, before):
    early = found
    for ago in sorted(before, reverse=True):
        early = thinned(early, NOW - ago)
    assert thinned(early) == thinned(found)
