"""Prices moved by hand: for each symbol, the moments and how far its logarithm was moved."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import accumulate

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
