"""BUY, SELL or HOLD for one series of closed candles, and why (pure). A signal informs; it never sends an order.

Four indicators vote between -1 (sell) and +1 (buy). Trend and momentum are measured in average candle ranges (ATR),
so that calm and volatile coins compare; RSI and bands vote only at extremes, against the move. The weighted sum
is HOLD up to ACTION_THRESHOLD, BUY or SELL beyond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchange.core.times import Timeframe, candle_is_old
from portfolio.signals.indicators import MIN_BARS, Bars, Indicators, are_valid, compute_indicators

TREND, MOMENTUM, RSI, BANDS = 0.35, 0.30, 0.20, 0.15
FULL_TREND = 1.0  # ATRs between the two averages for a full vote
FULL_MOMENTUM = 0.25  # ATRs between MACD and its signal line
OVERSOLD, OVERBOUGHT = 30.0, 70.0
FULL_RSI = 15.0  # points beyond the limits
FULL_BANDS = 0.25  # of the width of the bands, beyond them
ROUND_DECIMALS = 6  # further decimals are float noise
ACTION_THRESHOLD = 0.4
INPUT_DIGITS = 8  # significant digits of an input


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence as a key and parameters; it becomes text when shown (REASON_TEXTS)."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """`value` between -1 and +1; all weights add up to one."""

    weight: float
    value: float
    reason: Reason


class Action(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Closed candles of one instrument and timeframe as read, oldest first; there may be gaps."""

    timeframe: Timeframe
    opened_at: Sequence[datetime]
    bars: Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalResult:
    """Without an `action` there is no signal and `reasons` say why.

    `score` is the strength, 0 to 100; `candle_time` is the open time of the last closed candle.
    """

    action: Action | None = None
    score: int | None = None
    reasons: tuple[Reason, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    candle_time: datetime | None = None


def compute_votes(found: Indicators) -> tuple[Vote, ...]:
    return (_trend(found), _momentum(found), _rsi(found), _bands(found))


def compute_signal(series: Series, *, now: datetime) -> SignalResult:
    """No signal on data that is missing, old, too short, invalid or flat."""
    if not series.opened_at:
        return SignalResult(reasons=(Reason("no_bars"),))
    last = series.opened_at[-1]
    if candle_is_old(last, series.timeframe, now=now):
        return SignalResult(reasons=(Reason("old"),), candle_time=last)
    length = count_contiguous(series.opened_at, series.timeframe.length)
    if length < MIN_BARS:
        return SignalResult(
            reasons=(Reason("short", {"have": str(length), "need": str(MIN_BARS)}),), candle_time=last
        )
    return _evaluate(_last_bars(series.bars, length), last)


def count_contiguous(opened_at: Sequence[datetime], length: timedelta) -> int:
    """How many candles at the end follow each other without a gap."""
    for count in range(1, len(opened_at)):
        if opened_at[-count] - opened_at[-count - 1] != length:
            return count
    return len(opened_at)


def _trend(found: Indicators) -> Vote:
    # The 20-candle average against the 50-candle one.
    gaps = [round(gap / found.atr, ROUND_DECIMALS) for gap in found.gaps]
    side = "above" if gaps[-1] > 0 else "below"
    crossed = any(gap * gaps[-1] < 0 for gap in gaps)
    key = f"ema_crossed_{side}" if crossed else f"ema_{side}"
    return Vote(weight=TREND, value=_clamp(gaps[-1] / FULL_TREND), reason=Reason(key))


def _momentum(found: Indicators) -> Vote:
    # MACD against its signal line.
    gap = (found.macd - found.macd_signal) / found.atr
    value = _clamp(gap / FULL_MOMENTUM)
    return Vote(weight=MOMENTUM, value=value, reason=Reason("macd_above" if value > 0 else "macd_below"))


def _rsi(found: Indicators) -> Vote:
    # Oversold votes buy, overbought votes sell.
    distance = max(0.0, OVERSOLD - found.rsi) - max(0.0, found.rsi - OVERBOUGHT)
    value, rsi_params = _clamp(distance / FULL_RSI), {"rsi": f"{found.rsi:.1f}"}
    return Vote(weight=RSI, value=value, reason=Reason("rsi_low" if value > 0 else "rsi_high", rsi_params))


def _bands(found: Indicators) -> Vote:
    # The last close outside the Bollinger bands.
    width = found.upper - found.lower
    distance = max(0.0, found.lower) - max(0.0, -found.upper)
    value = _clamp(distance / width / FULL_BANDS) if width > 0 else 0.0
    return Vote(weight=BANDS, value=value, reason=Reason("band_below" if value > 0 else "band_above"))


def _clamp(value: float) -> float:
    # Between -1 and +1, without float noise.
    return round(max(-1.0, min(1.0, value)), ROUND_DECIMALS)


def _last_bars(bars: Bars, length: int) -> Bars:
    return Bars(high=bars.high[-length:], low=bars.low[-length:], close=bars.close[-length:])


def _evaluate(bars: Bars, candle_time: datetime) -> SignalResult:
    if not are_valid(bars):
        return SignalResult(reasons=(Reason("broken"),), candle_time=candle_time)
    found = compute_indicators(bars)
    if found is None:
        return SignalResult(reasons=(Reason("flat"),), candle_time=candle_time)
    votes = compute_votes(found)
    weighted_sum = round(sum(vote.weight * vote.value for vote in votes), ROUND_DECIMALS)
    action = _action(weighted_sum)
    return SignalResult(
        action=action,
        score=round(abs(weighted_sum) * 100),
        reasons=_reasons(action, votes, atr=found.atr * found.unit / float(bars.close[-1])),
        inputs=_inputs(found, close=float(bars.close[-1])),
        candle_time=candle_time,
    )


def _action(weighted_sum: float) -> Action:
    if abs(weighted_sum) <= ACTION_THRESHOLD:
        return Action.HOLD
    return Action.BUY if weighted_sum > 0 else Action.SELL


def _reasons(action: Action, votes: Sequence[Vote], *, atr: float) -> tuple[Reason, ...]:
    # The largest votes first; for HOLD, first that there is no clear direction. Last the ATR as part of the close.
    active_votes = sorted(
        (vote for vote in votes if vote.value), key=lambda vote: -abs(vote.weight * vote.value)
    )
    head = (Reason("hold"),) if action is Action.HOLD else ()
    tail = Reason("atr", {"percent": f"{round(atr * 100, ROUND_DECIMALS):.2f}"})
    return (*head, *(vote.reason for vote in active_votes), tail)


def _inputs(found: Indicators, *, close: float) -> dict[str, str]:
    # Indicators as plain decimals; all but the RSI in the currency of the price.
    levels = {
        "close": 0.0,
        "ema_20": found.fast,
        "ema_50": found.slow,
        "bollinger_upper": found.upper,
        "bollinger_middle": found.middle,
        "bollinger_lower": found.lower,
    }
    spans = {"macd": found.macd, "macd_signal": found.macd_signal, "atr_14": found.atr}
    prices = {name: close + value * found.unit for name, value in levels.items()}
    prices |= {name: value * found.unit for name, value in spans.items()}
    return {"rsi_14": f"{found.rsi:.2f}", **{name: _plain(value) for name, value in prices.items()}}


def _plain(value: float) -> str:
    return format(Decimal(f"{value or 0.0:.{INPUT_DIGITS}g}"), "f")
