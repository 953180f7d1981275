"""Numbers the exchange hands out: ids beyond 2^53 in the recorded ranges, and nanosecond times."""

from dataclasses import dataclass

from exchange.simulator.records import NS

STARTS = {
    "plain": 4989988582751289512,
    "advanced": 5755600460443882762,
    "list": 6498090546073120100,
    "trade": 4989988731789005166,
    "match": 4611686018483154586,
}


@dataclass(slots=True)
class Ids:
    """Counters of one exchange. `overlap` lets both name spaces count from one start (quirk order_id_ranges)."""

    counts: dict[str, int]
    last_ms: int = 0
    in_ms: int = 0

    def next(self, kind: str, *, overlap: bool = False) -> str:
        following = self.peek(kind, overlap=overlap)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return following

    def peek(self, kind: str, *, overlap: bool = False) -> str:
        """The id that `next` will hand out."""
        start = STARTS["plain"] if overlap and kind == "advanced" else STARTS[kind]
        return str(start + self.counts.get(kind, 0) + 1)

    def time_ns(self, ms: int, *, coarse: bool) -> int:
        """A time inside the millisecond, later than the one before it unless the clock went back."""
        if coarse:
            return ms * NS
        self.in_ms = min(self.in_ms + 211, NS - 1) if ms == self.last_ms else 301_000 + self._spread(ms)
        self.last_ms = ms
        return ms * NS + self.in_ms

    def _spread(self, ms: int) -> int:
        return (ms * 7919) % 99_991
