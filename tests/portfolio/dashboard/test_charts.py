"""Geometry: to scale, inside, and with a point in every language."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.web.charts import axis_labels, divide_bar, ladder, line, nice_ticks, sparkline

D = Decimal
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICES = st.decimals(min_value="0.00000001", max_value="100000000", places=8)


def points(*values):
    return [
        (START + timedelta(minutes=index), None if value is None else D(value))
        for index, value in enumerate(values)
    ]


def test_the_ladder_is_to_scale():
    drawn = ladder(stop=D(90), target=D(110), entry=D(95), now=D(105))
    assert (drawn.stop, drawn.entry, drawn.now, drawn.target) == ("0.0", "25.0", "75.0", "100.0")
    assert (drawn.down_width, drawn.up_start, drawn.up_width) == ("25.0", "25.0", "75.0")
    assert (drawn.stop_away, drawn.target_away) == (D(-15) / D(105) * 100, D(5) / D(105) * 100)


def test_a_price_below_the_stop_stretches_it():
    drawn = ladder(stop=D(90), target=D(110), entry=D(100), now=D(85))
    assert (drawn.now, drawn.stop, drawn.anchor) == ("0.0", "20.0", "start")


def test_without_a_target_it_ends_above_what_is_known():
    drawn = ladder(stop=D(90), target=None, entry=D(95), now=D(100))
    assert (drawn.target, drawn.target_away) == (None, None)
    assert 80 < D(drawn.now) < 90


def test_without_a_price_there_is_no_dot():
    drawn = ladder(stop=D(90), target=D(110), entry=None, now=None)
    assert (drawn.now, drawn.entry, drawn.stop_away) == (None, None, None)


@given(stop=PRICES, target=st.none() | PRICES, entry=st.none() | PRICES, now=st.none() | PRICES)
def test_nothing_is_drawn_outside(stop, target, entry, now):
    drawn = ladder(stop=stop, target=target, entry=entry, now=now)
    places = [drawn.stop, drawn.target, drawn.entry, drawn.now, drawn.down_width, drawn.up_width]
    assert all(0 <= D(place) <= 100 for place in places if place is not None)


def test_a_curve_runs_from_the_lowest_tick_to_the_highest():
    drawn = line(points("100", "200", "150"))
    assert drawn.path == "M0.0 100.0L50.0 0.0L100.0 50.0"
    assert [tick.label for tick in drawn.ticks] == ["100", "125", "150", "175", "200"]
    assert (drawn.first, drawn.last, drawn.lowest, drawn.highest) == (D(100), D(150), D(100), D(200))
    assert not drawn.starts_at_zero


def test_a_gap_stays_a_gap():
    drawn = line(points("1", "2", None, "2", "1"))
    assert drawn.path.count("M") == 2
    assert drawn.area.count("Z") == 2


@pytest.mark.parametrize("values", [[], ["1"], [None, "1", None], [None, None]])
def test_two_values_make_a_curve(values):
    assert line(points(*values)) is None


def test_what_never_changed_is_a_line_all_the_same():
    assert line(points("5", "5")) is not None
    assert sparkline([D(5), D(5)]) == "M0.0 50.0L100.0 50.0"
    assert sparkline([D(5)]) == ""


@given(values=st.lists(PRICES, min_size=2, max_size=20))
def test_ticks_are_few_and_hold_every_value(values):
    ticks = nice_ticks(min(values), max(values))
    assert ticks[0] <= min(values)
    assert ticks[-1] >= max(values)
    assert 2 <= len(ticks) <= 6


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (["44000", "46000"], ["44k", "46k"]),
        (["61080", "61100"], ["61.08k", "61.10k"]),
        (["0", "1250000"], ["0.00M", "1.25M"]),
        (["-2500", "0"], ["−2.5k", "0.0k"]),
        (["0.5", "1"], ["0.5", "1.0"]),
        ([], []),
    ],
)
def test_numbers_beside_an_axis_are_short_and_alike(values, texts):
    assert axis_labels([D(value) for value in values]) == texts


def test_a_bar_is_divided_by_value():
    first, second = divide_bar([("a", "x", D(1)), ("nothing", "y", D(0)), ("b", "z", D(3))])
    assert (first.percent, second.percent) == (D(25), D(75))
    assert (first.x, second.x) == ("0.00", "25.00")
    assert divide_bar([("a", "x", D(0))]) == []
