"""Curves: a small one without axes, and a value over time with them. A gap stays a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from portfolio.web.scale import HUNDRED, Scale, nice_ticks, short_all, text

Point = tuple[datetime, Decimal | None]
FEWEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of the grid: how far down, and what stands beside it."""

    y: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`path` is the curve and `area` what is under it, in a box of 100 by 100."""

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
    """The path of `values`, evenly spaced; nothing for fewer than two."""
    if len(values) < FEWEST:
        return ""
    across, up = Scale(Decimal(0), Decimal(len(values) - 1)), Scale(min(values), max(values))
    return _path([(across.at(Decimal(index)), up.down(value)) for index, value in enumerate(values)])


def line(points: Sequence[Point]) -> Line | None:
    """None while there are not two values to draw a line between."""
    known = [(at, value) for at, value in points if value is not None]
    if len(known) < FEWEST:
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
            Tick(y=text(up.down(tick)), label=label)
            for tick, label in zip(ticks, short_all(ticks), strict=True)
        ),
        end_y=text(up.down(values[-1])),
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
    """The stretches without a gap."""
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
    return "M" + "L".join(f"{text(x)} {text(y)}" for x, y in places)


def _area(places: Sequence[tuple[Decimal, Decimal]]) -> str:
    return f"{_path(places)}L{text(places[-1][0])} {text(HUNDRED)}L{text(places[0][0])} {text(HUNDRED)}Z"


def _number(at: datetime) -> Decimal:
    return Decimal(str(at.timestamp()))
