"""Keeps the bars of the market."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from exchange import schemas
from exchange.core.utils import Timeframe, chunks, from_ms
from exchange.models import Candle

KEPT = 1000  # bars of each instrument and timeframe
VALUES = ["open", "high", "low", "close", "volume", "is_closed", "read_at"]


def candle_record_all(
    *, instrument_name: str, timeframe: Timeframe, bars: Sequence[schemas.Candle], now: datetime
) -> int:
    """Store the bars of one answer; how many were new or changed. Every bar but the newest is final.

    A final bar is not written again. An unfinished one that the answer no longer reaches is dropped: its
    numbers would stay wrong for ever, and a gap is honest.
    """
    rows = {row.opened_at: row for row in _rows(instrument_name, timeframe, bars, now)}
    if not rows:
        return 0
    kept = Candle.objects.filter(instrument_name=instrument_name, timeframe=timeframe)
    with transaction.atomic():
        kept.filter(is_closed=False, opened_at__lt=min(rows)).delete()
        for final in kept.filter(is_closed=True, opened_at__gte=min(rows)).values_list(
            "opened_at", flat=True
        ):
            rows.pop(final, None)
        _store(list(rows.values()))
    return len(rows)


def candles_thin(*, now: datetime) -> int:
    """Drop the bars that are older than `KEPT` of their length; how many."""
    old = [pk for timeframe in Timeframe for pk in _older(timeframe, now - KEPT * timeframe.length)]
    for part in chunks(old):
        Candle.objects.filter(pk__in=part).delete()
    return len(old)


def _older(timeframe: Timeframe, moment: datetime) -> Iterable[int]:
    return Candle.objects.filter(timeframe=timeframe, opened_at__lt=moment).values_list("pk", flat=True)


def _rows(
    instrument_name: str, timeframe: Timeframe, bars: Sequence[schemas.Candle], now: datetime
) -> list[Candle]:
    """Bars that begin where bars of this length do."""
    newest_ms = max((bar.time_ms for bar in bars), default=0)
    return [
        Candle(
            instrument_name=instrument_name,
            timeframe=timeframe,
            opened_at=from_ms(bar.time_ms),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            is_closed=bar.time_ms < newest_ms,
            read_at=now,
        )
        for bar in bars
        if timeframe.begun(from_ms(bar.time_ms)) == from_ms(bar.time_ms)
    ]


def _store(rows: Sequence[Candle]) -> None:
    for part in chunks(rows):
        Candle.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["instrument_name", "timeframe", "opened_at"],
            update_fields=VALUES,
        )
