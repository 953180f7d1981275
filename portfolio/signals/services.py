"""Every five minutes: fetch new candles, recalculate the signals that are due, and keep their history."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TypeAlias

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from exchange.client.client import client_from_settings
from exchange.core.times import Timeframe
from exchange.selectors import candles_of
from exchange.services.runs import heartbeat_record
from exchange.sync.market_data import CandleUpdate, candles_prune, update_candles
from portfolio.models import Signal
from portfolio.signals.indicators import Bars
from portfolio.signals.strategy import Series, SignalResult, compute_signal
from portfolio.signals.watchlist import instruments_charted, instruments_followed
from portfolio.status.sync_status import SIGNALS

BARS_USED = 300  # indicators use the same number of candles, however many are stored
HISTORY_SIZE = 300  # per series: three days of the shortest candles, ten months of the longest
Key: TypeAlias = tuple[str, Timeframe]
logger = logging.getLogger(__name__)


def signals_compute(*, instrument_names: Iterable[str], now: datetime) -> int:
    """Recalculate every series that may have a new closed candle; returns how many signals changed.

    A series that is no longer followed is no longer latest.
    """
    wanted = [(name, timeframe) for name in instrument_names for timeframe in Timeframe]
    latest = {(row.instrument_name, Timeframe(row.timeframe)): row for row in signals_latest()}
    due = [key for key in wanted if _is_due(latest.get(key), key[1], now)]
    results = {key: compute_signal(series_of(*key), now=now) for key in due}
    changed = {key: result for key, result in results.items() if not _is_same(latest.get(key), result)}
    dropped = [latest[key] for key in latest.keys() - set(wanted)]
    _record(changed, replaced=[latest[key] for key in changed if key in latest] + dropped, now=now)
    return len(changed)


def signals_latest() -> QuerySet[Signal]:
    return Signal.objects.filter(is_latest=True)


def signals_delete_old(*, now: datetime) -> int:
    """Delete history older than HISTORY_SIZE candles; returns how many rows."""
    before = Signal.objects.filter(is_latest=False)
    old = [before.filter(timeframe=one, computed_at__lt=now - HISTORY_SIZE * one.length) for one in Timeframe]
    return sum(rows.delete()[0] for rows in old)


def series_of(instrument_name: str, timeframe: Timeframe) -> Series:
    rows = candles_of(instrument_name=instrument_name, timeframe=timeframe, limit=BARS_USED + 1)
    closed = [row for row in rows if row.is_closed][-BARS_USED:]
    bars = Bars(
        high=np.array([float(row.high) for row in closed]),
        low=np.array([float(row.low) for row in closed]),
        close=np.array([float(row.close) for row in closed]),
    )
    return Series(timeframe=timeframe, opened_at=[row.opened_at for row in closed], bars=bars)


def market_update() -> str:
    """Returns a summary. Public reads only: no lease, no key, and no cycle waits for it."""
    summary = _read(now=timezone.now())
    for error in summary.errors:
        logger.warning("Market: %s", error)
    now = timezone.now()
    candles_prune(now=now)
    changed = signals_compute(instrument_names=instruments_followed(), now=now)
    signals_delete_old(now=now)
    heartbeat_record(name=SIGNALS)
    return f"{summary.read} series read, {summary.left} left, {changed} signals changed"


def _is_due(row: Signal | None, timeframe: Timeframe, now: datetime) -> bool:
    # A series without a signal is always due: missing candles may have arrived.
    if row is None or not row.action or row.candle_time is None:
        return True
    return now >= row.candle_time + 2 * timeframe.length


def _is_same(row: Signal | None, result: SignalResult) -> bool:
    if row is None:
        return False
    return (row.action, row.candle_time, row.reasons) == (
        result.action or "",
        result.candle_time,
        _reasons(result),
    )


def _reasons(result: SignalResult) -> list[dict[str, object]]:
    return [asdict(reason) for reason in result.reasons]


def _record(changed: Mapping[Key, SignalResult], *, replaced: list[Signal], now: datetime) -> None:
    # A replaced signal becomes history; a result without a signal is not kept. Of two runs at once the second
    # changes nothing: there is one latest row for each series.
    with transaction.atomic():
        Signal.objects.filter(pk__in=[row.pk for row in replaced if row.action]).update(is_latest=False)
        Signal.objects.filter(pk__in=[row.pk for row in replaced if not row.action]).delete()
        rows = [_row(key, result, now) for key, result in changed.items()]
        Signal.objects.bulk_create(rows, ignore_conflicts=True)


def _row(key: Key, result: SignalResult, now: datetime) -> Signal:
    return Signal(
        instrument_name=key[0],
        timeframe=key[1],
        action=result.action or "",
        score=result.score,
        reasons=_reasons(result),
        inputs=dict(result.inputs),
        candle_time=result.candle_time,
        computed_at=now,
    )


def _read(*, now: datetime) -> CandleUpdate:
    # The part of the rate limit that is reserved for orders stays unused.
    client = client_from_settings()
    client.background = True
    try:
        return update_candles(
            client=client, instrument_names=instruments_charted(now=now), clock=timezone.now
        )
    finally:
        client.close()
