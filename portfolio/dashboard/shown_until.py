"""When the dashboard changes although nothing was written: only because time passes, apart from ages."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from exchange.core.times import Timeframe, candle_ends
from oco.selectors import SHOWN_CLOSED, GroupRow
from portfolio.signals.selectors import COMPUTED_LATE_AFTER, SignalBoard
from portfolio.signals.watchlist import WatchlistRow, max_price_age

CURVE_KEPT = timedelta(seconds=15)
"""The chart ends now: for this long its oldest point may still be one that has left the span."""
LAST = datetime.max.replace(tzinfo=UTC)
TICK = timedelta(microseconds=1)


def shown_until(
    *,
    now: datetime,
    groups: Iterable[GroupRow],
    signals: SignalBoard,
    watchlist: Iterable[WatchlistRow],
    has_curve: bool,
) -> datetime:
    """The first moment after `now` at which one of them looks different."""
    moments = [*_groups(groups), *_signals(signals), *_prices(watchlist), LAST]
    if has_curve:
        moments += [_next_midnight(now), now + CURVE_KEPT]
    return min(moment for moment in moments if moment > now)


def _groups(groups: Iterable[GroupRow]) -> Iterator[datetime]:
    yield from (group.closed_at + SHOWN_CLOSED for group in groups if group.closed_at is not None)


def _signals(signals: SignalBoard) -> Iterator[datetime]:
    if signals.last_computed_at is not None:
        yield signals.last_computed_at + COMPUTED_LATE_AFTER + TICK
    for signal in signals.calls:
        if signal.candle_time is not None:
            yield candle_ends(signal.candle_time, Timeframe(signal.timeframe)) + TICK


def _prices(watchlist: Iterable[WatchlistRow]) -> Iterator[datetime]:
    yield from (row.price_at + max_price_age() + TICK for row in watchlist if row.price_at is not None)


def _next_midnight(now: datetime) -> datetime:
    # Times of today are shown without their day.
    tomorrow = timezone.localtime(now).date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, datetime.min.time()))
