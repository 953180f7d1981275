"""Trades of an entry become lots, each trade once (pure, protection chapter 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.pricing import Grid, is_placeable, stop_of, whole_lots

MOST = 5  # lots of one entry; then they are merged
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """One execution of an entry. `fee` as sent: negative was deducted, in `fee_currency`."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A lot to be: what came in after fees, of which `dust` is too little for the grid."""

    trades: tuple[Bought, ...]
    bought: Decimal
    dust: Decimal
    average_price: Decimal

    @property
    def first_trade_id(self) -> str:
        return self.trades[0].trade_id


def net_quantity(trades: Sequence[Bought], base: str) -> Decimal:
    """What the account gained: executed minus what was taken in the coin itself (dossier 5.11.4)."""
    fees = sum((trade.fee for trade in trades if trade.fee_currency == base), ZERO)
    return sum((trade.quantity for trade in trades), ZERO) + min(fees, ZERO)


def average_price(trades: Sequence[Bought]) -> Decimal:
    """Quote paid per coin, fees left out."""
    quantity = sum((trade.quantity for trade in trades), ZERO)
    return sum((trade.quantity * trade.price for trade in trades), ZERO) / quantity


def draft(
    trades: Sequence[Bought], *, base: str, grid: Grid, stop_pct: Decimal, minimum_usd: Decimal = ZERO
) -> Draft | None:
    """The lot of all these trades, or None: too little for a stop or the policy, it waits for the next trades."""
    ordered = tuple(sorted(trades, key=lambda trade: (trade.at_ns, trade.trade_id)))
    if not ordered:
        return None
    bought, average = net_quantity(ordered, base), average_price(ordered)
    whole = whole_lots(bought, grid.quantity_tick)
    if not is_placeable(whole, stop_of(average, stop_pct, grid.price_tick), grid):
        return None
    if grid.quote_usd is not None and whole * average * grid.quote_usd < minimum_usd:
        return None
    return Draft(trades=ordered, bought=bought, dust=bought - whole, average_price=average)


def merged_price(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """The average of (quantity, price) parts, weighed by what each still owns."""
    total = sum((quantity for quantity, _ in parts), ZERO)
    return sum((quantity * price for quantity, price in parts), ZERO) / total
