"""Average cost of a coin from its fills, in the order of the exchange (pure).

Only dollars count: each currency of `DOLLARS` is taken at one dollar. Anything else paid has no known cost, because
its price at that moment is not stored. Coins that came in without a fill have no cost and count as sold last.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)
DOLLARS = frozenset({"USD", "USDT", "USDC"})
TOLERANCE = Decimal("0.0001")
"""The share of a quantity that may be missing from the history: roundings, not another purchase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One spot fill. `fee` as sent: negative was deducted, in `fee_currency` (dossier 5.19)."""

    instrument_name: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one fill did to the stock of one coin: positive `quantity` came in, negative went out.

    `usd` is what was paid or received, after fees in dollars; None is unknown.
    """

    currency: str
    quantity: Decimal
    usd: Decimal | None
    is_sale: bool = False


@dataclass(frozen=True, slots=True)
class Stock:
    """What the fills explain: a quantity and its cost in USD, None when unknown."""

    quantity: Decimal = ZERO
    cost: Decimal | None = ZERO

    @property
    def average(self) -> Decimal | None:
        return self.cost / self.quantity if self.cost is not None and self.quantity > 0 else None

    def explains(self, held: Decimal) -> bool:
        """Whether all that is held was bought in these fills. Less may be held: some left another way."""
        return held <= self.quantity * (1 + TOLERANCE)


EMPTY = Stock()


def spot_pair(instrument_name: str) -> tuple[str, str] | None:
    """Base and quote of `SHIB_BTC@OEX_HK`; None for a derivative, which is a position and no coin."""
    base, found, rest = instrument_name.partition("_")
    return (base, rest.partition("@")[0]) if found else None


def compute_changes(fill: Fill, *, cash: Collection[str]) -> Iterator[Change]:
    """One change for each coin a fill touches: base, quote, and the currency of the fee.

    A fee in the base reduces the coins, one in dollars raises the cost or reduces the proceeds (dossier 5.11.4).
    A fee in a third coin leaves the stock of that coin at its average cost and is in no other result.
    """
    pair = spot_pair(fill.instrument_name)
    if pair is None:
        return
    base, quote = pair
    sign = 1 if fill.side == "BUY" else -1
    fees = {fill.fee_currency or (base if sign > 0 else quote): fill.fee}
    value = fill.quantity * fill.price
    dollars = value - sign * _dollar_fee(fees) if quote in DOLLARS else None
    moved = {
        base: Change(
            currency=base,
            quantity=sign * fill.quantity + fees.pop(base, ZERO),
            usd=dollars,
            is_sale=sign < 0,
        ),
        quote: Change(currency=quote, quantity=-sign * value + fees.pop(quote, ZERO), usd=None),
    }
    moved |= {coin: Change(currency=coin, quantity=fee, usd=ZERO) for coin, fee in fees.items()}
    yield from (change for change in moved.values() if change.quantity and change.currency not in cash)


def _dollar_fee(fees: dict[str, Decimal]) -> Decimal:
    # Signed as sent: what was deducted is negative.
    return sum((fee for currency, fee in fees.items() if currency in DOLLARS), ZERO)


def apply_change(stock: Stock, change: Change) -> tuple[Stock, Decimal | None]:
    """The stock after `change`, and the realised P&L of a sale at average cost; None where it is unknown."""
    if change.quantity > 0:
        return _add(stock, change), None
    return _remove(stock, change)


def _add(stock: Stock, change: Change) -> Stock:
    known = stock.cost is not None and change.usd is not None
    cost = (stock.cost or ZERO) + (change.usd or ZERO) if known else None
    return Stock(stock.quantity + change.quantity, cost)


def _remove(stock: Stock, change: Change) -> tuple[Stock, Decimal | None]:
    # Selling more than the stock, or all but a remainder of unknown cost, empties it: the next buy is known again.
    removed = -change.quantity
    left = stock.quantity - removed
    if left <= 0 or (stock.cost is None and left <= removed * TOLERANCE):
        result = _gain(change, stock.cost) if stock.explains(removed) and stock.quantity else None
        return EMPTY, result
    share = None if stock.cost is None else stock.cost * removed / stock.quantity
    rest = None if stock.cost is None or share is None else stock.cost - share
    return Stock(left, rest), _gain(change, share)


def _gain(change: Change, cost: Decimal | None) -> Decimal | None:
    return change.usd - cost if change.is_sale and change.usd is not None and cost is not None else None
