"""The movement of prices: pure functions of seed and time, the same on every machine and in either direction.

See docs/dev/simulator.md for the model. In short: smooth seeded noise gives each currency its value at the start of
every day; `Cells` splits each day into ever smaller cells, down to ten seconds, so that the high and low of any
time window are known exactly without looking at every moment. Times are milliseconds of the market clock; values
are logarithms of prices.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from math import log, sqrt

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
WALK_PERIODS = tuple(DAY_MS * 4**power for power in range(5))  # 1 to 256 days
BOUNDED_PERIODS = tuple(64_000 * 4**power for power in range(6))  # 64 s to 18 hours: bounded, no drift
SPLITS = (12, 2, 2, 2, 3, 5, 6)  # a day into 2 h, 1 h, 30, 15, 5, 1 minutes and 10 s
PERIODS = tuple(accumulate(SPLITS, lambda period, parts: period // parts, initial=DAY_MS))
LEAF_MS = PERIODS[-1]
EXTREME_OFFSETS_MS = (3_000, 7_000)  # where a leaf reaches its extremes
TURNING_OFFSETS_MS = (0, *EXTREME_OFFSETS_MS)  # where the lines of a leaf change direction
CACHE_SIZE = 2_048
NARROW_CELL_FACTOR = 0.6  # limits the steps in a narrow cell, or most would end at its limits
_MASK = (1 << 64) - 1
_HALF = 1.0 / (1 << 53)
_WALK_DAY_DEVIATION = 0.964  # measured: deviation of a day's change when a layer is sqrt(period/day) strong
_UNIT_DEVIATION = sqrt(3)  # a number uniform in [-1, 1) times this has deviation 1
Cell = tuple[float, float, float, float]  # open, high, low, close
HighLow = tuple[float, float]  # high, low
PriceOverride = tuple[int, float]


# Seeded noise


def cell_noise(key: int, cell: int) -> float:
    """A fixed number in [-1, 1) for this cell of this key (splitmix64)."""
    z = (key + cell * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z >> 10) * _HALF - 1.0


cached_cell_noise = lru_cache(maxsize=1 << 16)(cell_noise)


def noise_key(*parts: object) -> int:
    """A 64-bit key from a seed and names."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Noise:
    """Smooth noise: a sum of layers (period in ms, amplitude), each interpolated between cells of its period.

    Each layer is four times slower and twice as strong as the one before, which is how a random walk scales.
    Every point is computed directly; nothing is remembered.
    """

    __slots__ = ("_layers",)

    def __init__(self, seed: int, name: str, amplitudes: Iterable[tuple[int, float]]) -> None:
        self._layers = tuple((noise_key(seed, name, period), period, size) for period, size in amplitudes)

    def at(self, at_market_ms: int) -> float:
        total = 0.0
        for key, period, size in self._layers:
            cell, rest = divmod(at_market_ms, period)
            left = cached_cell_noise(key, cell)
            if rest:
                u = rest / period
                left += (cached_cell_noise(key, cell + 1) - left) * u * u * (3.0 - 2.0 * u)
            total += size * left
        return total


def random_walk(seed: int, name: str) -> Noise:
    """Noise that moves like a price sampled once a day: its daily change has deviation 1."""
    return Noise(
        seed, name, ((period, (period / DAY_MS) ** 0.5 / _WALK_DAY_DEVIATION) for period in WALK_PERIODS)
    )


def bounded_noise(seed: int, name: str) -> Noise:
    """Noise within [-1, 1] around zero."""
    return Noise(seed, name, ((period, 1.0 / len(BOUNDED_PERIODS)) for period in BOUNDED_PERIODS))


# Movement with known extremes


class Cells:
    """The movement of one currency between its values at the start of each day (`at_day`, by day number since 1970).

    Each day is a cell with open, high, low and close, split by SPLITS into ever smaller cells that stay within it.
    """

    def __init__(self, seed: int, name: str, at_day: Callable[[int], float], sigma: float) -> None:
        self._at_day = lru_cache(maxsize=CACHE_SIZE)(at_day)
        self._keys = [noise_key(seed, name, level) for level in range(len(PERIODS))]
        self._sigmas = [sigma * sqrt(period / DAY_MS) for period in PERIODS]
        self._days: dict[int, Cell] = {}
        self._children: dict[tuple[int, int], list[Cell]] = {}

    def at(self, at_market_ms: int) -> float:
        number, rest = divmod(at_market_ms, DAY_MS)
        cell = self._day(number)
        for level, parts in enumerate(SPLITS):
            if not rest:
                return cell[0]
            place, rest = divmod(rest, PERIODS[level + 1])
            cell = self._split(level, number, cell)[place]
            number = number * parts + place
        return leaf_value(cell, rest)

    def high_low(self, start_ms: int, end_ms: int) -> HighLow:
        """The exact high and low of a time window."""
        days = range(start_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1)
        return _widest(self._high_low(0, day, self._day(day), start_ms, end_ms) for day in days)

    def _high_low(self, level: int, number: int, cell: Cell, start_ms: int, end_ms: int) -> HighLow:
        begin, period = number * PERIODS[level], PERIODS[level]
        if start_ms <= begin and end_ms >= begin + period:
            return cell[1], cell[2]
        start, end = max(start_ms - begin, 0), min(end_ms - begin, period)
        if level == len(SPLITS):
            return _leaf_high_low(cell, start, end)
        part, parts, cells = PERIODS[level + 1], SPLITS[level], self._split(level, number, cell)
        touched = range(start // part, (end - 1) // part + 1)
        return _widest(
            self._high_low(level + 1, number * parts + i, cells[i], start_ms, end_ms) for i in touched
        )

    def _day(self, number: int) -> Cell:
        if number not in self._days:
            if len(self._days) >= CACHE_SIZE:
                self._days.clear()
            opened, close, key = self._at_day(number), self._at_day(number + 1), self._keys[0]
            wide = high_low(
                opened, close, self._sigmas[0], cell_noise(key, number * 2), cell_noise(key, number * 2 + 1)
            )
            self._days[number] = (opened, *wide, close)
        return self._days[number]

    def _split(self, level: int, number: int, cell: Cell) -> list[Cell]:
        found = self._children.get((level, number))
        if found is None:
            if len(self._children) >= CACHE_SIZE:
                self._children.clear()
            parts = SPLITS[level]
            found = split_cell(cell, parts, self._sigmas[level + 1], self._keys[level + 1], number * parts)
            self._children[level, number] = found
        return found


def high_low(opened: float, close: float, sigma: float, up: float, down: float) -> HighLow:
    """High and low of a random walk between two values; `up` and `down` are draws in [-1, 1)."""
    middle, square = (opened + close) / 2, (close - opened) ** 2
    rise = sqrt(square - 2 * sigma * sigma * log((1.0000001 - up) / 2.0000002)) / 2
    fall = sqrt(square - 2 * sigma * sigma * log((1.0000001 - down) / 2.0000002)) / 2
    return middle + rise, middle - fall


def split_cell(cell: Cell, parts: int, sigma: float, key: int, first: int) -> list[Cell]:
    """The smaller cells of a cell. `first` is the number of the first one, `sigma` the deviation over each.

    All stay within the cell; exactly one reaches its high and one its low, so the extremes of every level agree.
    """
    opened, high, low, close = cell
    sigma = min(sigma, (high - low) * NARROW_CELL_FACTOR / sqrt(parts))
    steps = [cell_noise(key, (first + i) * 3) * sigma * _UNIT_DEVIATION for i in range(parts)]
    slope = (close - opened - sum(steps)) / parts
    inner = accumulate((step + slope for step in steps[:-1]), initial=opened)
    ends = [*(reflect(value, high, low) for value in inner), close]
    ranges = [
        high_low(
            ends[i],
            ends[i + 1],
            sigma,
            cell_noise(key, (first + i) * 3 + 1),
            cell_noise(key, (first + i) * 3 + 2),
        )
        for i in range(parts)
    ]
    top = max(range(parts), key=lambda i: ranges[i][0])
    bottom = min(range(parts), key=lambda i: ranges[i][1])
    return [
        (
            ends[i],
            high if i == top else limit_extreme(ranges[i][0], max(ends[i], ends[i + 1]), high),
            low if i == bottom else limit_extreme(ranges[i][1], min(ends[i], ends[i + 1]), low),
            ends[i + 1],
        )
        for i in range(parts)
    ]


def reflect(value: float, high: float, low: float) -> float:
    """Mirrored at the limits, so that a price does not stick to them."""
    if value > high:
        value = high + high - value
    elif value < low:
        value = low + low - value
    return min(high, max(low, value))


def limit_extreme(extreme: float, base: float, limit: float) -> float:
    """Scale a high or low that would pass the limit of its cell, so that it stays within."""
    distance, maximum = extreme - base, limit - base
    return extreme if abs(distance) <= abs(maximum) else base + maximum * maximum / distance


def leaf_value(cell: Cell, rest: int) -> float:
    """The value `rest` ms into a leaf: straight lines from open through its two extremes to close."""
    (before, left), (after, right) = _leaf_line(cell, rest)
    return left + (right - left) * (rest - before) / (after - before)


def _leaf_points(cell: Cell) -> tuple[tuple[int, float], ...]:
    opened, high, low, close = cell
    first, second = (low, high) if close >= opened else (high, low)
    return (0, opened), (EXTREME_OFFSETS_MS[0], first), (EXTREME_OFFSETS_MS[1], second), (LEAF_MS, close)


def _leaf_line(cell: Cell, rest: int) -> tuple[tuple[int, float], tuple[int, float]]:
    points = _leaf_points(cell)
    place = 0 if rest < EXTREME_OFFSETS_MS[0] else 1 if rest < EXTREME_OFFSETS_MS[1] else 2
    return points[place], points[place + 1]


def _leaf_high_low(cell: Cell, start: int, end: int) -> HighLow:
    inner = [value for moment, value in _leaf_points(cell) if start < moment < end]
    values = [leaf_value(cell, start), *inner, leaf_value(cell, end)]
    return max(values), min(values)


def _widest(ranges: Iterator[HighLow]) -> HighLow:
    highs, lows = zip(*ranges, strict=True)
    return max(highs), min(lows)


# Clock speed


@dataclass(frozen=True, slots=True)
class MarketClock:
    """Market time equals real time up to the origin, and runs `speed` times as fast after it."""

    origin_ms: int
    speed: float

    def market_ms(self, ms: int) -> int:
        return ms if ms <= self.origin_ms else self.origin_ms + int((ms - self.origin_ms) * self.speed)

    def first_real_ms(self, at_market_ms: int) -> int:
        if at_market_ms <= self.origin_ms:
            return at_market_ms
        return self.origin_ms + int(-(-(at_market_ms - self.origin_ms) // self.speed))

    def turning_points(self, from_ms: int, to_ms: int, maximum: int) -> Iterator[int]:
        """The moments strictly between at which prices may turn; evenly spaced ones if those exceed `maximum`."""
        first, last = self.market_ms(from_ms), self.market_ms(to_ms)
        if (last - first) * len(TURNING_OFFSETS_MS) > maximum * LEAF_MS:
            yield from range(from_ms, to_ms, -(-(to_ms - from_ms) // maximum))[1:]
            return
        for leaf in range(first // LEAF_MS, last // LEAF_MS + 1):
            times_between = (
                self.first_real_ms(leaf * LEAF_MS + turning_offset) for turning_offset in TURNING_OFFSETS_MS
            )
            yield from (ms for ms in times_between if from_ms < ms < to_ms)


# Price overrides


class PriceOverrides:
    """Price changes made by manual controls: per symbol, moments and offsets of the logarithm.

    An offset applies from its millisecond on, permanently.
    """

    def __init__(self, overrides: dict[str, list[PriceOverride]] | None = None) -> None:
        self._overrides: dict[str, list[PriceOverride]] = {}
        self._sums: dict[str, list[float]] = {}
        for symbol, entries in (overrides or {}).items():
            for ms, offset in entries:
                self.add(symbol, ms, offset)

    def add(self, symbol: str, ms: int, offset: float) -> None:
        overrides = self._overrides.setdefault(symbol, [])
        insort(overrides, (ms, offset))
        self._sums[symbol] = [0.0, *accumulate(size for _, size in overrides)]

    def at(self, symbol: str, ms: int) -> float:
        overrides = self._overrides.get(symbol)
        return self._sums[symbol][bisect_right(overrides, (ms, float("inf")))] if overrides else 0.0

    def times_between(self, symbol: str, after_ms: int, until_ms: int) -> list[int]:
        """The moments of the offsets in (after_ms, until_ms]."""
        return [ms for ms, _ in self._overrides.get(symbol, ()) if after_ms < ms <= until_ms]

    def to_state(self) -> dict[str, list[list[float]]]:
        return {
            symbol: [[ms, offset] for ms, offset in overrides]
            for symbol, overrides in self._overrides.items()
        }

    @classmethod
    def from_state(cls, state: dict[str, list[list[float]]]) -> PriceOverrides:
        return cls(
            {symbol: [(int(ms), offset) for ms, offset in overrides] for symbol, overrides in state.items()}
        )
