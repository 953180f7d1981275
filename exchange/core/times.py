"""Milliseconds and nanoseconds of the exchange as times, and the candle lengths that are kept (pure)."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

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


def exchange_time_ns(now: datetime, offset_ms: int | None) -> int:
    """`now` by the exchange's clock, as well as the offset is known, in whole milliseconds as nanoseconds."""
    return (to_ms(now) + (offset_ms or 0)) * NS_PER_MS


class Timeframe(StrEnum):
    """By its name on the wire (dossier 5.3). Every one begins at a multiple of its length since the epoch."""

    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1D"

    @property
    def length(self) -> timedelta:
        return LENGTHS[self]

    def bar_start(self, moment: datetime) -> datetime:
        """When the bar that `moment` lies in began."""
        return moment - (moment - EPOCH) % self.length


LENGTHS = {
    Timeframe.M15: timedelta(minutes=15),
    Timeframe.H1: timedelta(hours=1),
    Timeframe.H4: timedelta(hours=4),
    Timeframe.D1: timedelta(days=1),
}
MAX_CANDLE_DELAY = timedelta(minutes=15)  # closing on the exchange, and our interval of five minutes


def candle_is_old(candle_time: datetime, timeframe: Timeframe, *, now: datetime) -> bool:
    """Whether a later candle than the one opened at `candle_time` should be known by now."""
    return candle_time < oldest_valid_open(timeframe, now=now)


def candle_ends(candle_time: datetime, timeframe: Timeframe) -> datetime:
    """The last moment at which the candle opened at `candle_time` is not old."""
    return candle_time + 2 * timeframe.length + MAX_CANDLE_DELAY


def oldest_valid_open(timeframe: Timeframe, *, now: datetime) -> datetime:
    """The earliest open time of a last closed candle that is still current."""
    return now - 2 * timeframe.length - MAX_CANDLE_DELAY
