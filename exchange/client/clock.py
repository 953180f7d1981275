"""How far the exchange's clock is from ours, measured from the Date header of its answers."""

from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

MAX_CLOCK_OFFSET_MS = (
    10_000  # the exchange refuses at 60 s (dossier 2.2); a drift should be fixed long before
)
MAX_SAMPLES = 20
MAX_ROUND_TRIP_MS = 3_000  # a slower answer is too vague about when its date was written
DATE_STEP_MS = 1_000  # the header counts whole seconds; its middle is taken


class Sample(NamedTuple):
    round_trip_ms: int
    offset_ms: int

    def agrees_with(self, other: "Sample") -> bool:
        """Whether both can be true of one steady clock."""
        tolerance_ms = (self.round_trip_ms + other.round_trip_ms) // 2 + DATE_STEP_MS
        return abs(self.offset_ms - other.offset_ms) <= tolerance_ms


class ClockOffset:
    """The last samples. A new one that contradicts the old ones means that a clock was set: they are dropped."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=MAX_SAMPLES)
        # The exchange's clock minus ours, from the quickest answer; None before the first sample.
        self.ms: int | None = None

    def measure(self, date: str, sent_ms: int, received_ms: int) -> None:
        """Learn from one answer; slow answers and unreadable dates teach nothing."""
        written = _parse_date(date)
        round_trip = received_ms - sent_ms
        if written is None or not 0 <= round_trip <= MAX_ROUND_TRIP_MS:
            return
        middle = int(written.timestamp()) * 1000 + DATE_STEP_MS // 2
        sample = Sample(round_trip, middle - (sent_ms + received_ms) // 2)
        agreeing = [old for old in self._samples if old.agrees_with(sample)]
        self._samples = deque([*agreeing, sample], maxlen=MAX_SAMPLES)
        self.ms = min(self._samples).offset_ms


def _parse_date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)  # "-0000": no zone of ours
