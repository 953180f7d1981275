"""How fast the market's time runs, and at which moments its prices turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.simulator.cells import KNOTS, LEAF_MS

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
