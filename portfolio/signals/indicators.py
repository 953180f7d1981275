"""Technical indicators of one candle series, by TA-Lib (pure). Floats: none of this is money.

Prices are distances from the last close, in units of their recent range. TA-Lib treats values below 1e-14 as zero,
so a coin of 0.000001 USD would have no bands; and no result may depend on the unit of the price.
"""

from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import talib
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

RSI_BARS = 14
FAST_BARS, SLOW_BARS = 20, 50
MACD_BARS = (12, 26, 9)
BAND_BARS, BAND_WIDTH = 20, 2.0
ATR_BARS = 14
CROSS_BARS = 5  # a crossing of the averages is reported for this many candles
MIN_RANGE, MAX_RANGE = 1e-7, 1e9  # of the last close; floats are not precise enough beyond
RSI_DECIMALS = 6  # further decimals are float noise
MIN_BARS = 150  # three times the slowest average, so that its start no longer matters


@dataclass(frozen=True, slots=True)
class Bars:
    """High, low and close of candles without a gap, oldest first."""

    high: Floats
    low: Floats
    close: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """Values at the last candle. Levels are distances from the last close; all but the RSI are in `unit`s of price.

    `gaps` are fast minus slow average of the last candles.
    """

    unit: float
    rsi: float
    fast: float
    slow: float
    gaps: tuple[float, ...]
    macd: float
    macd_signal: float
    upper: float
    middle: float
    lower: float
    atr: float


def are_valid(bars: Bars) -> bool:
    """Whether every number is a valid price and every close is between low and high."""
    rows = np.stack([bars.high, bars.low, bars.close])
    if not np.isfinite(rows).all() or not (rows > 0).all():
        return False
    return bool(((bars.low <= bars.close) & (bars.close <= bars.high)).all())


def compute_indicators(bars: Bars) -> Indicators | None:
    """None when the price did not move, or moved beyond the precision of floats."""
    last, unit = bars.close[-1], np.ptp(bars.close[-SLOW_BARS:])
    with np.errstate(over="ignore", invalid="ignore"):
        if not MIN_RANGE < unit / last < MAX_RANGE:
            return None
        high, low, close = ((row - last) / unit for row in (bars.high, bars.low, bars.close))
    if not (np.isfinite(high).all() and np.isfinite(low).all()):
        return None
    found = _compute(high, low, close, float(unit))
    values = [value for name, value in asdict(found).items() if name != "gaps"]
    return found if found.atr > 0 and np.isfinite([*values, *found.gaps]).all() else None


def _compute(high: Floats, low: Floats, close: Floats, unit: float) -> Indicators:
    fast, slow = talib.EMA(close, FAST_BARS), talib.EMA(close, SLOW_BARS)
    macd, macd_signal, _ = talib.MACD(close, *MACD_BARS)
    upper, middle, lower = talib.BBANDS(close, BAND_BARS, BAND_WIDTH, BAND_WIDTH)
    return Indicators(
        unit=unit,
        rsi=round(float(talib.RSI(close, RSI_BARS)[-1]), RSI_DECIMALS),
        fast=float(fast[-1]),
        slow=float(slow[-1]),
        gaps=tuple(float(gap) for gap in (fast - slow)[-CROSS_BARS - 1 :]),
        macd=float(macd[-1]),
        macd_signal=float(macd_signal[-1]),
        upper=float(upper[-1]),
        middle=float(middle[-1]),
        lower=float(lower[-1]),
        atr=float(talib.ATR(high, low, close, ATR_BARS)[-1]),
    )
