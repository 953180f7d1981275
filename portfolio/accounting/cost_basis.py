"""Average cost of a coin from its fills, in the order of the exchange (pure).

What was paid counts in dollars, by the rate of the quote currency when it was traded. A coin that was paid with is
sold at that rate. Coins that came in without a fill, or for a price whose rate is not known, have no cost and count as
sold last: results are those of the part with a known cost.
"""

from collections.abc import Collection, Iterator
from decimal import Decimal

from msgspec import Struct

ZERO, ONE = Decimal(0), Decimal(1)
USD = "USD"
TOLERANCE = Decimal("0.0001")
"""The share of a quantity that may be missing from the history: roundings, not another purchase."""


class Fill(Struct, frozen=True, kw_only=True, gc=False):
    """One spot fill. `fee` as sent: negative was deducted, in `fee_currency` (dossier 5.19).

    `quote_usd` is the rate of the quote currency at that time, `fee_usd` the fee in dollars; None is unknown.
    """

    instrument_name: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    quote_usd: Decimal | None = None
    fee_usd: Decimal | None = None


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """What one fill did to the stock of one coin: positive `quantity` came in, negative went out.

    `usd` is what was paid or received, after fees in dollars; None is unknown.
    """

    currency: str
    quantity: Decimal
    usd: Decimal | None
    is_sale: bool = False


class Stock(Struct, frozen=True, gc=False):
    """What the fills explain: a quantity with its cost in USD, and a quantity whose cost is not known."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    uncosted: Decimal = ZERO

    @property
    def average(self) -> Decimal | None:
        return self.cost / self.quantity if self.quantity > 0 else None

    def unexplained(self, quantity: Decimal) -> Decimal:
        """How much of `quantity` has no known cost here; a rounding is none. Less may be held: some left otherwise."""
        return ZERO if quantity <= self.quantity * (1 + TOLERANCE) else quantity - self.quantity


EMPTY = Stock()


def spot_pair(instrument_name: str) -> tuple[str, str] | None:
    """Base and quote of `SHIB_BTC@OEX_HK`; None for a derivative, which is a position and no coin."""
    base, found, rest = instrument_name.partition("_")
    return (base, rest.partition("@")[0]) if found else None


def compute_changes(fill: Fill, *, cash: Collection[str]) -> Iterator[Change]:
    """One change for each coin a fill touches, not for the currencies of `cash`."""
    return (change for change in changes_with_cash(fill, cash=cash) if change.currency not in cash)


def changes_with_cash(fill: Fill, *, cash: Collection[str]) -> Iterator[Change]:
    """One change for each currency a fill touches: base, quote, and the currency of the fee.

    A fee in the base reduces the coins, one in the quote or in cash raises the cost or reduces the proceeds (dossier
    5.11.4). A fee in a third coin leaves the stock of that coin at its average cost and is in no other result.
    """
    pair = spot_pair(fill.instrument_name)
    if pair is None:
        return
    base, quote = pair
    sign = 1 if fill.side == "BUY" else -1
    fees = {fill.fee_currency or (base if sign > 0 else quote): fill.fee}
    gained, paid = (
        sign * fill.quantity + fees.pop(base, ZERO),
        fees.pop(quote, ZERO) - (sign * fill.quantity * fill.price),
    )
    rate = ONE if quote == USD else fill.quote_usd
    worth = None if rate is None else -sign * paid * rate
    dollars = _with_cash_fee(worth, sign, fill, fees, cash)
    moved = {
        base: Change(currency=base, quantity=gained, usd=dollars, is_sale=sign < 0),
        quote: Change(currency=quote, quantity=paid, usd=worth, is_sale=sign > 0),
    }
    moved |= {coin: Change(currency=coin, quantity=fee, usd=ZERO) for coin, fee in fees.items()}
    yield from (change for change in moved.values() if change.quantity)


def _with_cash_fee(
    worth: Decimal | None, sign: int, fill: Fill, fees: dict[str, Decimal], cash: Collection[str]
) -> Decimal | None:
    # `fees` are those in neither currency of the pair, signed as sent: what was deducted is negative.
    for currency, fee in fees.items():
        if worth is None or not fee or (currency != USD and currency not in cash):
            continue
        in_usd = fee if currency == USD else fill.fee_usd
        worth = None if in_usd is None else worth - sign * in_usd
    return worth


def apply_change(stock: Stock, change: Change) -> tuple[Stock, Decimal | None]:
    """The stock after `change`, and the realised P&L of a sale at average cost, of the part with a known cost.

    None where no part of it has one; `stock.unexplained` is the rest.
    """
    if change.quantity > 0:
        return _add(stock, change), None
    return _remove(stock, change)


def _add(stock: Stock, change: Change) -> Stock:
    if change.usd is None:
        return Stock(stock.quantity, stock.cost, stock.uncosted + change.quantity)
    return Stock(stock.quantity + change.quantity, stock.cost + change.usd, stock.uncosted)


def _remove(stock: Stock, change: Change) -> tuple[Stock, Decimal | None]:
    removed = -change.quantity
    if removed < stock.quantity:
        share = stock.cost * removed / stock.quantity
        left = Stock(stock.quantity - removed, stock.cost - share, stock.uncosted)
        return left, _gain(change, share)
    rest = stock.unexplained(removed)
    left = Stock(uncosted=_without_crumbs(stock.uncosted - rest, removed))
    if not stock.quantity:
        return left, None
    explained = ONE if not rest else stock.quantity / removed
    return left, _gain(change, stock.cost, explained)


def _without_crumbs(quantity: Decimal, removed: Decimal) -> Decimal:
    return quantity if quantity > removed * TOLERANCE else ZERO


def _gain(change: Change, cost: Decimal, explained: Decimal = ONE) -> Decimal | None:
    return change.usd * explained - cost if change.is_sale and change.usd is not None else None
