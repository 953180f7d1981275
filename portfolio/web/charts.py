"""Geometry of the SVG charts: divided bar, price ladder, sparkline and line chart (pure).

A price ladder has the lower price on the left: the stop of a position, the take profit of a buy-back. A gap in a
curve stays a gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchange.core.numbers import axis_text

HUNDRED = Decimal(100)
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
UNITS = ((Decimal(10**9), "b"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """`low` is at 0 % and `high` at 100 %."""

    low: Decimal
    high: Decimal

    def at(self, value: Decimal) -> Decimal:
        """0 to 100; the middle where there is no width."""
        width = self.high - self.low
        return (value - self.low) / width * HUNDRED if width else HUNDRED / 2

    def down(self, value: Decimal) -> Decimal:
        """The same from the top."""
        return HUNDRED - self.at(value)


def svg_number(place: Decimal, decimals: int = 1) -> str:
    """`37.4`, with a point in every language."""
    return f"{place:.{decimals}f}"


def nice_ticks(low: Decimal, high: Decimal, *, most: int = 4) -> Sequence[Decimal]:
    """Round numbers from at most `low` to at least `high`, about `most` of them."""
    width = high - low or abs(high) / 10 or Decimal(1)
    power = Decimal(1).scaleb((width / most).adjusted())
    step = next(one * power for one in STEPS if one * power >= width / most)
    first = (low / step).to_integral_value("ROUND_FLOOR")
    last = (high / step).to_integral_value("ROUND_CEILING")
    count = max(1, int(last - first))
    return [(first + index) * step for index in range(count + 1)]


def axis_labels(values: Sequence[Decimal]) -> list[str]:
    """`46k`, `1.25M`: for axes only. All with one unit and the same decimals."""
    most = max(map(abs, values), default=Decimal())
    unit, letter = next(((unit, letter) for unit, letter in UNITS if most >= unit), (Decimal(1), ""))
    shown = [(value / unit).normalize() for value in values]
    decimals = max((_decimals(value) for value in shown), default=0)
    return [f"{axis_text(value, decimals)}{letter}" for value in shown]


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


GAP = Decimal("0.35")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One share: where it begins, how wide it is drawn, and its percentage."""

    label: str
    css_class: str
    x: str
    width: str
    percent: Decimal


COIN_COLOURS = ("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10")
OTHERS, CASH = "a-others", "a-cash"
"""CSS classes of several coins together."""


def coin_colour(place: int) -> str:
    """The CSS class of a coin, by its `place` in the account: it keeps its colour while others overtake it."""
    return COIN_COLOURS[place % len(COIN_COLOURS)]


def divide_bar(parts: Sequence[tuple[str, str, Decimal]]) -> list[Slice]:
    """`shares` (label, class, value) of their sum, with a small gap between them; empty for a sum of zero."""
    total = sum((value for _, _, value in parts), Decimal())
    slices, start = [], Decimal()
    for label, css_class, value in parts:
        if not total or value <= 0:
            continue
        width = value / total * HUNDRED
        drawn = max(width - GAP, Decimal("0.4"))
        slices.append(
            Slice(
                label=label,
                css_class=css_class,
                x=svg_number(start, 2),
                width=svg_number(drawn, 2),
                percent=width,
            )
        )
        start += width
    return slices


MARGIN = Decimal("0.15")
EDGE = Decimal(14)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Positions in percent of the width; None is not drawn. `anchor` keeps the label of the price inside.

    `down` is the part below the entry, `up` the part above.
    """

    stop: str
    target: str | None
    entry: str | None
    now: str | None
    down_width: str
    up_start: str
    up_width: str
    anchor: str
    stop_away: Decimal | None
    target_away: Decimal | None


def ladder(
    *,
    stop: Decimal,
    target: Decimal | None,
    entry: Decimal | None,
    now: Decimal | None,
    is_mirrored: bool = False,
) -> Ladder:
    """Without a take profit it ends a little beyond the last known price on that side."""
    scale = _scale(stop, target, entry, now, is_mirrored=is_mirrored)
    split = scale.at(next(one for one in (entry, now, stop) if one is not None))
    here = None if now is None else scale.at(now)
    return Ladder(
        stop=svg_number(scale.at(stop)),
        target=None if target is None else svg_number(scale.at(target)),
        entry=None if entry is None else svg_number(split),
        now=None if here is None else svg_number(here),
        down_width=svg_number(split),
        up_start=svg_number(split),
        up_width=svg_number(HUNDRED - split),
        anchor=_anchor(here),
        stop_away=_away(stop, now),
        target_away=_away(target, now),
    )


def _scale(*prices: Decimal | None, is_mirrored: bool) -> Scale:
    # Of stop, take profit and the other prices.
    known = [one for one in prices if one is not None]
    low, high, (_, target, *_rest) = min(known), max(known), prices
    beyond = ZERO if target is not None else (high - low or high) * MARGIN
    return Scale(low - beyond, high) if is_mirrored else Scale(low, high + beyond)


def _away(level: Decimal | None, now: Decimal | None) -> Decimal | None:
    # Distance of the price from a level, in percent of the price.
    return None if level is None or not now else (level - now) / now * HUNDRED


def _anchor(here: Decimal | None) -> str:
    if here is None or EDGE <= here <= HUNDRED - EDGE:
        return "middle"
    return "start" if here < EDGE else "end"


Point = tuple[datetime, Decimal | None]
MIN_POINTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A grid line: how far down, and its label."""

    y: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`path` is the curve and `area` the area below it, in a box of 100 by 100."""

    path: str
    area: str
    ticks: tuple[Tick, ...]
    end_y: str
    first: Decimal
    last: Decimal
    lowest: Decimal
    highest: Decimal
    starts: datetime
    middle: datetime
    ends: datetime
    starts_at_zero: bool


def sparkline(values: Sequence[Decimal]) -> str:
    """The path of `values`, evenly spaced; empty for fewer than two."""
    if len(values) < MIN_POINTS:
        return ""
    across, up = Scale(Decimal(0), Decimal(len(values) - 1)), Scale(min(values), max(values))
    return _path([(across.at(Decimal(index)), up.down(value)) for index, value in enumerate(values)])


def line(points: Sequence[Point]) -> Line | None:
    """None for fewer than two values."""
    known = [(at, value) for at, value in points if value is not None]
    if len(known) < MIN_POINTS:
        return None
    values = [value for _, value in known]
    ticks = nice_ticks(min(values), max(values))
    starts, ends = points[0][0], points[-1][0]
    up, across = Scale(ticks[0], ticks[-1]), Scale(_number(starts), _number(ends))
    runs = [[(across.at(_number(at)), up.down(value)) for at, value in run] for run in _runs(points)]
    return Line(
        path="".join(_path(run) for run in runs),
        area="".join(_area(run) for run in runs),
        ticks=tuple(
            Tick(y=svg_number(up.down(tick)), label=label)
            for tick, label in zip(ticks, axis_labels(ticks), strict=True)
        ),
        end_y=svg_number(up.down(values[-1])),
        first=values[0],
        last=values[-1],
        lowest=min(values),
        highest=max(values),
        starts=starts,
        middle=starts + (ends - starts) / 2,
        ends=ends,
        starts_at_zero=not ticks[0],
    )


def _runs(points: Sequence[Point]) -> Iterator[list[tuple[datetime, Decimal]]]:
    # The parts without a gap.
    run: list[tuple[datetime, Decimal]] = []
    for at, value in points:
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(places: Sequence[tuple[Decimal, Decimal]]) -> str:
    return "M" + "L".join(f"{svg_number(x)} {svg_number(y)}" for x, y in places)


def _area(places: Sequence[tuple[Decimal, Decimal]]) -> str:
    first, last, bottom = svg_number(places[0][0]), svg_number(places[-1][0]), svg_number(HUNDRED)
    return f"{_path(places)}L{last} {bottom}L{first} {bottom}Z"


def _number(at: datetime) -> Decimal:
    return Decimal(str(at.timestamp()))
