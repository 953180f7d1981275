"""A movement whose high and low over any stretch of time are known exactly, without looking at every moment.

Each day is a cell with an open, high, low and close. A cell is split into smaller ones that stay within it,
of which one reaches its high and one its low, down to ten seconds; so candles of all timeframes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from math import log, sqrt

from exchange.simulator.noise import DAY_MS, key_of, luck

Cell = tuple[float, float, float, float]  # open, high, low, close
Reach = tuple[float, float]  # high, low

SPLITS = (12, 2, 2, 2, 3, 5, 6)  # a day into 2 h, 1 h, 30, 15, 5, 1 minutes and 10 s
PERIODS = tuple(accumulate(SPLITS, lambda period, parts: period // parts, initial=DAY_MS))
LEAF_MS = PERIODS[-1]
KNOTS = (3_000, 7_000)  # where a leaf reaches its extremes
REMEMBERED = 2_048
ROOMY = 0.6  # in a narrow cell steps are small, or they would all end at its walls
_UNIT = sqrt(3)  # a number uniform in [-1, 1) times this has deviation 1


def reach(opened: float, close: float, sigma: float, up: float, down: float) -> Reach:
    """High and low of a random walk between two values; `up` and `down` are luck in [-1, 1)."""
    middle, square = (opened + close) / 2, (close - opened) ** 2
    rise = sqrt(square - 2 * sigma * sigma * log((1.0000001 - up) / 2.0000002)) / 2
    fall = sqrt(square - 2 * sigma * sigma * log((1.0000001 - down) / 2.0000002)) / 2
    return middle + rise, middle - fall


def fold(value: float, high: float, low: float) -> float:
    """Thrown back from the walls, so that a price does not stick to them."""
    if value > high:
        value = high + high - value
    elif value < low:
        value = low + low - value
    return min(high, max(low, value))


def within(reached: float, base: float, limit: float) -> float:
    """A high or low that would pass the limit of its cell stops short of it."""
    far, room = reached - base, limit - base
    return reached if abs(far) <= abs(room) else base + room * room / far


def split(cell: Cell, parts: int, sigma: float, key: int, first: int) -> list[Cell]:
    """The smaller cells; `first` is the running number of the first, `sigma` the deviation over each."""
    opened, high, low, close = cell
    sigma = min(sigma, (high - low) * ROOMY / sqrt(parts))
    steps = [luck(key, (first + i) * 3) * sigma * _UNIT for i in range(parts)]
    slope = (close - opened - sum(steps)) / parts
    inner = accumulate((step + slope for step in steps[:-1]), initial=opened)
    ends = [*(fold(value, high, low) for value in inner), close]
    reaches = [
        reach(ends[i], ends[i + 1], sigma, luck(key, (first + i) * 3 + 1), luck(key, (first + i) * 3 + 2))
        for i in range(parts)
    ]
    top = max(range(parts), key=lambda i: reaches[i][0])
    bottom = min(range(parts), key=lambda i: reaches[i][1])
    return [
        (
            ends[i],
            high if i == top else within(reaches[i][0], max(ends[i], ends[i + 1]), high),
            low if i == bottom else within(reaches[i][1], min(ends[i], ends[i + 1]), low),
            ends[i + 1],
        )
        for i in range(parts)
    ]


def leaf_value(cell: Cell, rest: int) -> float:
    """Inside ten seconds: straight lines through the low and the high, the nearer one to the open first."""
    (before, left), (after, right) = _leaf_line(cell, rest)
    return left + (right - left) * (rest - before) / (after - before)


def _leaf_points(cell: Cell) -> tuple[tuple[int, float], ...]:
    opened, high, low, close = cell
    first, second = (low, high) if close >= opened else (high, low)
    return (0, opened), (KNOTS[0], first), (KNOTS[1], second), (LEAF_MS, close)


def _leaf_line(cell: Cell, rest: int) -> tuple[tuple[int, float], tuple[int, float]]:
    points = _leaf_points(cell)
    place = 0 if rest < KNOTS[0] else 1 if rest < KNOTS[1] else 2
    return points[place], points[place + 1]


class Cells:
    """The movement of one currency, made from its value at the beginning of each day (day number since 1970)."""

    def __init__(self, seed: int, name: str, at_day: Callable[[int], float], sigma: float) -> None:
        self._at_day = lru_cache(maxsize=REMEMBERED)(at_day)
        self._keys = [key_of(seed, name, level) for level in range(len(PERIODS))]
        self._sigmas = [sigma * sqrt(period / DAY_MS) for period in PERIODS]
        self._days: dict[int, Cell] = {}
        self._children: dict[tuple[int, int], list[Cell]] = {}

    def at(self, tau_ms: int) -> float:
        number, rest = divmod(tau_ms, DAY_MS)
        cell = self._day(number)
        for level, parts in enumerate(SPLITS):
            if not rest:
                return cell[0]
            place, rest = divmod(rest, PERIODS[level + 1])
            cell = self._split(level, number, cell)[place]
            number = number * parts + place
        return leaf_value(cell, rest)

    def reach(self, start_ms: int, end_ms: int) -> Reach:
        """High and low from the first moment up to the second."""
        days = range(start_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1)
        return _widest(self._reach(0, day, self._day(day), start_ms, end_ms) for day in days)

    def _reach(self, level: int, number: int, cell: Cell, start_ms: int, end_ms: int) -> Reach:
        begin, period = number * PERIODS[level], PERIODS[level]
        if start_ms <= begin and end_ms >= begin + period:
            return cell[1], cell[2]
        start, end = max(start_ms - begin, 0), min(end_ms - begin, period)
        if level == len(SPLITS):
            return _leaf_reach(cell, start, end)
        part, parts, cells = PERIODS[level + 1], SPLITS[level], self._split(level, number, cell)
        touched = range(start // part, (end - 1) // part + 1)
        return _widest(
            self._reach(level + 1, number * parts + i, cells[i], start_ms, end_ms) for i in touched
        )

    def _day(self, number: int) -> Cell:
        if number not in self._days:
            if len(self._days) >= REMEMBERED:
                self._days.clear()
            opened, close, key = self._at_day(number), self._at_day(number + 1), self._keys[0]
            wide = reach(opened, close, self._sigmas[0], luck(key, number * 2), luck(key, number * 2 + 1))
            self._days[number] = (opened, *wide, close)
        return self._days[number]

    def _split(self, level: int, number: int, cell: Cell) -> list[Cell]:
        found = self._children.get((level, number))
        if found is None:
            if len(self._children) >= REMEMBERED:
                self._children.clear()
            parts = SPLITS[level]
            found = split(cell, parts, self._sigmas[level + 1], self._keys[level + 1], number * parts)
            self._children[level, number] = found
        return found


def _widest(reaches: Iterator[Reach]) -> Reach:
    highs, lows = zip(*reaches, strict=True)
    return max(highs), min(lows)


def _leaf_reach(cell: Cell, start: int, end: int) -> Reach:
    inner = [value for moment, value in _leaf_points(cell) if start < moment < end]
    values = [leaf_value(cell, start), *inner, leaf_value(cell, end)]
    return max(values), min(values)
