"""Reads the bars that are not known yet: public reads, without the lease, and never in the way of a cycle."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from exchange.client.client import Client
from exchange.client.errors import ExchangeError, Unreachable
from exchange.core.utils import Timeframe, to_ms
from exchange.models import Candle
from exchange.stopping import stop_is_asked
from exchange.sync.services_candles import candle_record_all
from exchange.sync.sync import Clock

AT_ONCE = 300  # bars an answer holds at most (dossier 5.3)
PATIENCE = timedelta(seconds=20)  # what is not read by then is the first of the next time
SILENT = 2  # requests in a row without any answer, and the rest is not tried
REREAD = 16  # an unfinished bar is read again after this part of its length: 56 s, 4, 15 and 90 minutes

Series: TypeAlias = tuple[str, Timeframe]


@dataclass(slots=True)
class Reading:
    """How one round went: answers stored, series left for the next round, and what went wrong, in words."""

    read: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)
    silent: int = 0

    def failed(self, name: str, timeframe: Timeframe, error: ExchangeError) -> None:
        self.silent = self.silent + 1 if isinstance(error, Unreachable) else 0
        self.errors.append(f"Candles of {name} ({timeframe}): {error}")


def candles_read(*, client: Client, instrument_names: Iterable[str], clock: Clock) -> Reading:
    """Bring the bars of these instruments up to date, the longest unread first; one failure stops no other."""
    reading, until = Reading(), clock() + PATIENCE
    newest = _unfinished()
    for series in _due(newest, instrument_names, clock()):
        if reading.silent >= SILENT or clock() > until or stop_is_asked():
            reading.left += 1
            continue
        try:
            _read(client, series, newest.get(series), clock())
        except ExchangeError as error:
            reading.failed(*series, error)
        else:
            reading.read, reading.silent = reading.read + 1, 0
    return reading


def _unfinished() -> Mapping[Series, Candle]:
    """The newest unfinished bar of each series: all before it are known, it and all after it are not."""
    rows = Candle.objects.filter(is_closed=False).order_by("opened_at")
    return {(row.instrument_name, Timeframe(row.timeframe)): row for row in rows}


def _due(newest: Mapping[Series, Candle], instrument_names: Iterable[str], now: datetime) -> Iterator[Series]:
    wanted = [(name, timeframe) for name in dict.fromkeys(instrument_names) for timeframe in Timeframe]
    new = [series for series in wanted if series not in newest]
    known = [series for series in wanted if series in newest and _is_due(newest[series], series[1], now)]
    yield from new
    yield from sorted(known, key=lambda series: newest[series].read_at)


def _is_due(bar: Candle, timeframe: Timeframe, now: datetime) -> bool:
    is_over = now >= bar.opened_at + timeframe.length
    return is_over or now - bar.read_at >= timeframe.length / REREAD


def _read(client: Client, series: Series, newest: Candle | None, now: datetime) -> None:
    """`end_ts` is sent because without it the exchange begins a day ago, whatever the count (dossier 5.3)."""
    name, timeframe = series
    count = AT_ONCE if newest is None else _missing(newest, timeframe, now)
    end_ms = to_ms(now) + (client.clock_offset_ms or 0) + 1
    bars = client.candles(name, timeframe, count=count, end_ms=end_ms)
    candle_record_all(instrument_name=name, timeframe=timeframe, bars=bars, now=now)


def _missing(newest: Candle, timeframe: Timeframe, now: datetime) -> int:
    """From the unfinished bar on to the one that has begun by now, and one more: clocks differ."""
    return min(AT_ONCE, (timeframe.begun(now) - newest.opened_at) // timeframe.length + 2)
