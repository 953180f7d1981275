"""A signal's reasons in words, in the language of whoever reads them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS = {
    "no_bars": _("No bars of the market have been read yet."),
    "old": _("The newest closed bar is too old."),
    "short": _("Only %(have)s closed bars follow each other without a gap; %(need)s are needed."),
    "broken": _("The bars hold numbers that cannot be prices."),
    "flat": _("The price has not moved."),
    "hold": _("No direction is clear enough."),
    "ema_above": _("The 20-bar average is above the 50-bar average."),
    "ema_below": _("The 20-bar average is below the 50-bar average."),
    "ema_crossed_above": _("The 20-bar average crossed above the 50-bar average within five bars."),
    "ema_crossed_below": _("The 20-bar average crossed below the 50-bar average within five bars."),
    "macd_above": _("MACD is above its signal line."),
    "macd_below": _("MACD is below its signal line."),
    "rsi_low": _("RSI %(rsi)s: oversold."),
    "rsi_high": _("RSI %(rsi)s: overbought."),
    "band_below": _("The price is below the lower Bollinger band."),
    "band_above": _("The price is above the upper Bollinger band."),
    "atr": _("A bar spans %(percent)s%% on average."),
}
INPUT_NAMES = {
    "close": _("Last close"),
    "rsi_14": _("RSI, 14 bars"),
    "ema_20": _("Average of 20 bars (EMA)"),
    "ema_50": _("Average of 50 bars (EMA)"),
    "macd": _("MACD, 12 and 26 bars"),
    "macd_signal": _("MACD signal line, 9 bars"),
    "bollinger_upper": _("Upper Bollinger band"),
    "bollinger_middle": _("Middle of the bands, 20 bars"),
    "bollinger_lower": _("Lower Bollinger band"),
    "atr_14": _("Average span of a bar (ATR), 14 bars"),
}
TIMEFRAME_NAMES = {
    "15m": _("15 min"),
    "1h": _("1 h"),
    "4h": _("4 h"),
    "1D": _("1 d"),
}


def reason_words(reasons: Iterable[Mapping[str, Any]]) -> str:
    """Sentences, one after the other."""
    return " ".join(str(WORDS[reason["key"]]) % reason["params"] for reason in reasons)
