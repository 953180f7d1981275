"""Seeded noise: pure functions of time, the same in the past and the future and on every machine.

Smooth noise is a sum of layers, each four times slower and twice as strong as the one before, which is how a
random walk scales. Nothing is remembered: every point can be asked for directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

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
