"""Signals for display. One that a later candle should have replaced is not shown: outdated signals mislead."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import stored_number_text
from exchange.core.times import Timeframe, candle_is_old, oldest_valid_open
from exchange.models import Heartbeat
from portfolio.models import Signal
from portfolio.status.sync_status import LATE_AFTER, SIGNALS, LastModified

REASON_TEXTS = {
    "no_bars": _("No candles read yet."),
    "old": _("The latest closed candle is too old."),
    "short": _("Only %(have)s consecutive closed candles; %(need)s are needed."),
    "broken": _("The candles contain invalid prices."),
    "flat": _("The price has not moved."),
    "hold": _("No clear direction."),
    "ema_above": _("EMA 20 is above EMA 50."),
    "ema_below": _("EMA 20 is below EMA 50."),
    "ema_crossed_above": _("EMA 20 crossed above EMA 50 within the last five candles."),
    "ema_crossed_below": _("EMA 20 crossed below EMA 50 within the last five candles."),
    "macd_above": _("MACD is above its signal line."),
    "macd_below": _("MACD is below its signal line."),
    "rsi_low": _("RSI %(rsi)s: oversold."),
    "rsi_high": _("RSI %(rsi)s: overbought."),
    "band_below": _("The price is below the lower Bollinger band."),
    "band_above": _("The price is above the upper Bollinger band."),
    "atr": _("Average candle range (ATR): %(percent)s%%."),
}
INPUT_NAMES = {
    "close": _("Last close"),
    "rsi_14": _("RSI, 14 candles"),
    "ema_20": _("EMA, 20 candles"),
    "ema_50": _("EMA, 50 candles"),
    "macd": _("MACD, 12 and 26 candles"),
    "macd_signal": _("MACD signal line, 9 candles"),
    "bollinger_upper": _("Upper Bollinger band"),
    "bollinger_middle": _("Middle Bollinger band, 20 candles"),
    "bollinger_lower": _("Lower Bollinger band"),
    "atr_14": _("ATR, 14 candles"),
}
TIMEFRAME_NAMES = {
    "15m": _("15 min"),
    "1h": _("1 h"),
    "4h": _("4 h"),
    "1D": _("1 d"),
}
COMPUTE_INTERVAL = timedelta(minutes=5)
COMPUTED_LATE_AFTER = COMPUTE_INTERVAL * float(LATE_AFTER)
OLD_REASONS = [{"key": "old", "params": {}}]
TIMEFRAME_ORDER = {timeframe: place for place, timeframe in enumerate(Timeframe)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """The latest result of one series. Without an `action` there is no signal, and `reason` says why.

    `score` is the strength, 0 to 100; `inputs` are indicator values as text.
    """

    instrument_name: str
    timeframe: str
    action: str | None
    score: int | None
    reason: str
    inputs: dict[str, str]
    candle_time: datetime | None
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalBoard:
    """`calls` are BUY and SELL, strongest first, then HOLD; `without_signal` are the other series.

    `last_computed_at` is None if never; `is_late` when signals should have been calculated again by now.
    """

    calls: tuple[SignalRow, ...]
    without_signal: tuple[SignalRow, ...]
    last_computed_at: datetime | None
    is_late: bool


def reasons_text(reasons: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(str(REASON_TEXTS[reason["key"]]) % _written(reason["params"]) for reason in reasons)


def _written(params: Mapping[str, Any]) -> dict[str, object]:
    return {name: stored_number_text(value) for name, value in params.items()}


def board(*, now: datetime, last_modified: LastModified | None = None, **filters: str) -> SignalBoard:
    """Two queries, one with `last_modified`. `filters`: `instrument_name`, `timeframe`."""
    rows = signal_rows(now=now, **filters)
    last_computed_at = last_modified.signals if last_modified else signals_last_computed_at()
    return SignalBoard(
        calls=tuple(row for row in rows if row.action),
        without_signal=tuple(row for row in rows if not row.action),
        last_computed_at=last_computed_at,
        is_late=last_computed_at is not None and now - last_computed_at > COMPUTED_LATE_AFTER,
    )


def signals_last_computed_at() -> datetime | None:
    return Heartbeat.objects.filter(name=SIGNALS).values_list("beat_at", flat=True).first()


def signal_rows(*, now: datetime, **filters: str) -> list[SignalRow]:
    """The latest signal of every series. One query."""
    found = Signal.objects.filter(is_latest=True, **filters)
    return sorted((signal_row(signal, now=now) for signal in found), key=_strongest_first)


def with_action(action: str, *, now: datetime) -> Q:
    """Filter for current signals with this action."""
    fresh = [
        Q(timeframe=timeframe, candle_time__gte=oldest_valid_open(timeframe, now=now))
        for timeframe in Timeframe
    ]
    return Q(action=action) & reduce(or_, fresh)


def signal_row(signal: Signal, *, now: datetime) -> SignalRow:
    is_silent = not signal.action or _is_old(signal, now)
    reasons = OLD_REASONS if is_silent and signal.action else signal.reasons
    return SignalRow(
        instrument_name=signal.instrument_name,
        timeframe=signal.timeframe,
        action=None if is_silent else signal.action,
        score=None if is_silent else signal.score,
        reason=reasons_text(reasons),
        inputs={} if is_silent else signal.inputs,
        candle_time=signal.candle_time,
        computed_at=signal.computed_at,
    )


def _strongest_first(row: SignalRow) -> tuple[bool, bool, int, str, int]:
    is_call = row.action in (Signal.Action.BUY, Signal.Action.SELL)
    place = TIMEFRAME_ORDER[Timeframe(row.timeframe)]
    return row.action is None, not is_call, -(row.score or 0), row.instrument_name, place


def _is_old(signal: Signal, now: datetime) -> bool:
    return signal.candle_time is None or candle_is_old(
        signal.candle_time, Timeframe(signal.timeframe), now=now
    )
