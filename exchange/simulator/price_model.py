"""Seeded noise: pure functions of time, the same in the past and the future and on every machine.

Smooth noise is a sum of layers, each four times slower and twice as strong as the one before, which is how a
random walk scales. Nothing is remembered: every point can be asked for directly.

A movement whose high and low over any stretch of time are known exactly, without looking at every moment.

Each day is a cell with an open, high, low and close. A cell is split into smaller ones that stay within it,
of which one reaches its high and one its low, down to ten seconds; so candles of all timeframes agree.

How fast the market's time runs, and at which moments its prices turn.

Prices moved by hand: for each symbol, the moments and how far its logarithm was moved.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from math import log, sqrt

DAY_MS = 86_400_000
_MASK = (1 << 64) - 1
_HALF = 1.0 / (1 << 53)

WALK_PERIODS = tuple(DAY_MS * 4**power for power in range(5))  # 1 to 256 days
CALM_PERIODS = tuple(64_000 * 4**power for power in range(6))  # 64 s to 18 hours: comes back, never drifts
_DAY_OF_WALK = 0.964  # measured: deviation of a day's change when a layer is sqrt(period/day) strong


def luck(key: int, cell: int) -> float:
    """A number in [-1, 1) that belongs to this cell of this key for ever (after splitmix64)."""
    z = (key + cell * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z >> 10) * _HALF - 1.0


lattice = lru_cache(maxsize=1 << 16)(luck)


def key_of(*parts: object) -> int:
    """A 64-bit key from a seed and names."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Noise:
    """A sum of layers, given as (period in ms, amplitude), each cut into cells of its period."""

    __slots__ = ("_layers",)

    def __init__(self, seed: int, name: str, amplitudes: Iterable[tuple[int, float]]) -> None:
        self._layers = tuple((key_of(seed, name, period), period, size) for period, size in amplitudes)

    def at(self, tau_ms: int) -> float:
        total = 0.0
        for key, period, size in self._layers:
            cell, rest = divmod(tau_ms, period)
            left = lattice(key, cell)
            if rest:
                u = rest / period
                left += (lattice(key, cell + 1) - left) * u * u * (3.0 - 2.0 * u)
            total += size * left
        return total


def walk(seed: int, name: str) -> Noise:
    """Wanders like a price, looked at once a day: the deviation of its daily change is 1."""
    return Noise(seed, name, ((period, (period / DAY_MS) ** 0.5 / _DAY_OF_WALK) for period in WALK_PERIODS))


def calm(seed: int, name: str) -> Noise:
    """Stays within [-1, 1] around zero."""
    return Noise(seed, name, ((period, 1.0 / len(CALM_PERIODS)) for period in CALM_PERIODS))


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


TURNS = (0, *KNOTS)  # in every leaf


@dataclass(frozen=True, slots=True)
class Tempo:
    """Movement time is real time up to the origin, and runs `speed` times as fast after it."""

    origin_ms: int
    speed: float

    def tau(self, ms: int) -> int:
        return ms if ms <= self.origin_ms else self.origin_ms + int((ms - self.origin_ms) * self.speed)

    def first_ms(self, tau_ms: int) -> int:
        """The first millisecond at which this movement time is reached."""
        if tau_ms <= self.origin_ms:
            return tau_ms
        return self.origin_ms + int(-(-(tau_ms - self.origin_ms) // self.speed))

    def turns(self, from_ms: int, to_ms: int, most: int) -> Iterator[int]:
        """The moments strictly between at which a price turns; evenly spaced ones when those are too many."""
        first, last = self.tau(from_ms), self.tau(to_ms)
        if (last - first) * len(TURNS) > most * LEAF_MS:
            yield from range(from_ms, to_ms, -(-(to_ms - from_ms) // most))[1:]
            return
        for leaf in range(first // LEAF_MS, last // LEAF_MS + 1):
            moments = (self.first_ms(leaf * LEAF_MS + turn) for turn in TURNS)
            yield from (ms for ms in moments if from_ms < ms < to_ms)


Shift = tuple[int, float]


class Shifts:
    """Moves stay for ever; a move at a moment counts from that very millisecond on."""

    def __init__(self, moves: dict[str, list[Shift]] | None = None) -> None:
        self._moves: dict[str, list[Shift]] = {}
        self._sums: dict[str, list[float]] = {}
        for symbol, shifts in (moves or {}).items():
            for ms, offset in shifts:
                self.add(symbol, ms, offset)

    def add(self, symbol: str, ms: int, offset: float) -> None:
        moves = self._moves.setdefault(symbol, [])
        insort(moves, (ms, offset))
        self._sums[symbol] = [0.0, *accumulate(size for _, size in moves)]

    def at(self, symbol: str, ms: int) -> float:
        """The sum of all moves up to and including this moment."""
        moves = self._moves.get(symbol)
        return self._sums[symbol][bisect_right(moves, (ms, float("inf")))] if moves else 0.0

    def moments(self, symbol: str, after_ms: int, until_ms: int) -> list[int]:
        """The moments of the moves after the first and up to and including the second."""
        return [ms for ms, _ in self._moves.get(symbol, ()) if after_ms < ms <= until_ms]

    def to_state(self) -> dict[str, list[list[float]]]:
        return {symbol: [[ms, offset] for ms, offset in moves] for symbol, moves in self._moves.items()}

    @classmethod
    def from_state(cls, state: dict[str, list[list[float]]]) -> Shifts:
        return cls({symbol: [(int(ms), offset) for ms, offset in moves] for symbol, moves in state.items()})
