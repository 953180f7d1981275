"""The exchange's milliseconds and nanoseconds as times (pure)."""

from datetime import UTC, datetime, timedelta

NS_PER_MS = 1_000_000
MS_PER_DAY = 86_400_000
NS_PER_DAY = MS_PER_DAY * NS_PER_MS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(ms: int) -> datetime:
    """`ms` since the epoch as an aware time, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=ms)


def to_ms(moment: datetime) -> int:
    """An aware time as whole milliseconds since the epoch."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
