"""What a fill was worth in US dollars when it was traded. It is stored with the fill and does not change later."""

from collections.abc import Callable
from decimal import Decimal

from exchange.core.instrument_names import USD, base_of, quote_of
from exchange.models import Trade

ONE, ZERO = Decimal(1), Decimal(0)
UsdRates = Callable[[str, int], Decimal | None]
"""US dollars for one unit of a currency at a moment (exchange time, ns); None is unknown."""


def no_rates(currency: str, at_ns: int) -> Decimal | None:
    """No rate is known but that of the dollar itself."""
    return None


def rate_trade(trade: Trade, usd_rates: UsdRates) -> None:
    """Set the rate of the quote currency and the fee in dollars, each where it is known; saves nothing."""
    quote = quote_of(trade.instrument_name)
    trade.quote_usd = _rate(quote, trade.create_time_ns, usd_rates)
    trade.fee_usd = _fee_usd(trade, quote, usd_rates)
    trade.is_rated = trade.quote_usd is not None and trade.fee_usd is not None


def fee_currency_of(trade: Trade) -> str:
    """Without a name it is the usual one: of a buy the coin, of a sale what it brought."""
    named: str = trade.fee_currency
    own = base_of if trade.side == "BUY" else quote_of
    return named or own(trade.instrument_name)


def _fee_usd(trade: Trade, quote: str, usd_rates: UsdRates) -> Decimal | None:
    currency = fee_currency_of(trade)
    if not trade.fee:
        return ZERO
    if currency == quote:
        rate = trade.quote_usd
    elif currency == base_of(trade.instrument_name):
        rate = None if trade.quote_usd is None else trade.price * trade.quote_usd
    else:
        rate = _rate(currency, trade.create_time_ns, usd_rates)
    return None if rate is None else trade.fee * rate


def _rate(currency: str, at_ns: int, usd_rates: UsdRates) -> Decimal | None:
    return ONE if currency == USD else usd_rates(currency, at_ns)
