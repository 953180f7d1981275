"""Value of a holding in USD (pure). An unknown price is None, never zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchange.core.numbers import cents, rounded
from exchange.schemas import PositionBalance, Ticker

USD = "USD"
BRIDGES = ("USDT", "USDC", "EUR")
ONE = Decimal(1)
PRECISION = Decimal("0.00000001")

Prices = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Valuation:
    """Price of one coin and value of the whole holding, in USD."""

    price_usd: Decimal | None
    market_value_usd: Decimal | None


def prices_from_tickers(tickers: Mapping[str, Ticker]) -> dict[str, Decimal]:
    """The last price by instrument, else the middle of bid and ask; instruments without either are left out."""
    found = {name: ticker.price for name, ticker in tickers.items()}
    return {name: price for name, price in found.items() if price is not None and price > 0}


def price_usd(currency: str, prices: Prices) -> Decimal | None:
    """USD for one unit of `currency`: from its USD pair, else through USDT, USDC or EUR."""
    if currency == USD:
        return ONE
    direct = _pair(currency, USD, prices)
    if direct is not None:
        return direct
    for bridge in BRIDGES:
        first, second = _pair(currency, bridge, prices), _pair(bridge, USD, prices)
        if first is not None and second is not None:
            return first * second
    return None


def value_position(position: PositionBalance, prices: Prices) -> Valuation:
    """The market value of the exchange where it covers the whole quantity, else quantity times price.

    With open orders the exchange reduces `market_value` by what they reserve (dossier 5.6), so it covers the whole
    holding only while all of it can be withdrawn.
    """
    price = price_usd(position.instrument_name, prices)
    if position.instrument_name == USD or not position.quantity:
        return Valuation(price, position.quantity)
    if position.market_value is not None and _is_withdrawable(position):
        return Valuation(price or position.market_value / position.quantity, position.market_value)
    if price is None:
        return Valuation(None, None)
    return Valuation(price, round_value(position.quantity * price))


def sum_known(values: Sequence[Decimal | None]) -> Decimal | None:
    """The sum of the known values, in cents; None when there are values but none is known."""
    known = [value for value in values if value is not None]
    return None if values and not known else cents(sum(known, Decimal()))


def round_value(value: Decimal) -> Decimal:
    """To eight decimals, half to even: for display only, never for orders."""
    return rounded(value, 8)


def _is_withdrawable(position: PositionBalance) -> bool:
    # `max_withdrawal_balance` has 8 decimals, `quantity` up to 14 (dossier 5.6).
    free = position.max_withdrawal_balance
    return free is not None and position.quantity - free < PRECISION


def _pair(base: str, quote: str, prices: Prices) -> Decimal | None:
    price = prices.get(f"{base}_{quote}")
    if price is not None:
        return price
    inverse = prices.get(f"{quote}_{base}")
    return ONE / inverse if inverse else None
