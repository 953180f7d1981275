"""What each indicator says by itself, between -1 (sell) and +1 (buy), and why (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from portfolio.signals.indicators import Indicators

TREND, MOMENTUM, RSI, BANDS = 0.35, 0.30, 0.20, 0.15
FULL_TREND = 1.0  # average bars between the two averages that make the vote whole
FULL_MOMENTUM = 0.25  # average bars between MACD and its signal line, likewise
OVERSOLD, OVERBOUGHT = 30.0, 70.0
FULL_RSI = 15.0  # points beyond them
FULL_BANDS = 0.25  # of the bands' width, beyond them
EXACT = 6  # decimals; what is less is the noise of floats


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence as a key and what stands in it: it is made words when it is read (signal_words)."""

    key: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """`value` between -1 and +1; the weights of all add up to one."""

    weight: float
    value: float
    reason: Reason


def votes_of(found: Indicators) -> tuple[Vote, ...]:
    return (_trend(found), _momentum(found), _rsi(found), _bands(found))


def _trend(found: Indicators) -> Vote:
    """The 20-bar average against the 50-bar one."""
    gaps = [round(gap / found.atr, EXACT) for gap in found.gaps]
    side = "above" if gaps[-1] > 0 else "below"
    crossed = any(gap * gaps[-1] < 0 for gap in gaps)
    key = f"ema_crossed_{side}" if crossed else f"ema_{side}"
    return Vote(weight=TREND, value=_within(gaps[-1] / FULL_TREND), reason=Reason(key))


def _momentum(found: Indicators) -> Vote:
    """MACD against its signal line."""
    gap = (found.macd - found.macd_signal) / found.atr
    value = _within(gap / FULL_MOMENTUM)
    return Vote(weight=MOMENTUM, value=value, reason=Reason("macd_above" if value > 0 else "macd_below"))


def _rsi(found: Indicators) -> Vote:
    """What fell too fast is cheap, what rose too fast is dear."""
    beyond = max(0.0, OVERSOLD - found.rsi) - max(0.0, found.rsi - OVERBOUGHT)
    value, told = _within(beyond / FULL_RSI), {"rsi": f"{found.rsi:.1f}"}
    return Vote(weight=RSI, value=value, reason=Reason("rsi_low" if value > 0 else "rsi_high", told))


def _bands(found: Indicators) -> Vote:
    """The last close outside the Bollinger bands."""
    width = found.upper - found.lower
    beyond = max(0.0, found.lower) - max(0.0, -found.upper)
    value = _within(beyond / width / FULL_BANDS) if width > 0 else 0.0
    return Vote(weight=BANDS, value=value, reason=Reason("band_below" if value > 0 else "band_above"))


def _within(value: float) -> float:
    """Between -1 and +1, without the noise of floats."""
    return round(max(-1.0, min(1.0, value)), EXACT)
