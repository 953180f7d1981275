"""All executions, newest last, found by time."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from exchange.simulator.records import Trade


class TradeStore:
    def __init__(self) -> None:
        self.rows: list[Trade] = []
        self._times: list[tuple[int, int]] = []

    def add(self, trade: Trade) -> None:
        insort(self._times, (trade.create_time_ns, len(self.rows)))
        self.rows.append(trade)

    def between(self, start_ns: int, end_ns: int) -> Iterator[Trade]:
        """Trades with start <= time < end, newest first."""
        at = bisect_left(self._times, (end_ns, -1))
        while at > 0 and self._times[at - 1][0] >= start_ns:
            at -= 1
            yield self.rows[self._times[at][1]]
