"""Trades of an entry become lots, each trade once (pure, protection chapter 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.pricing import ExitSide, Grid, is_placeable, round_to_lot_size, stop_of, unit_cost_of

MAX_LOTS = 5  # per entry; more are merged
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of an entry. `fee` as reported: negative was deducted, in `fee_currency`."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    at_ns: int
    corrections: int = 0

    @property
    def lot_key(self) -> str:
        """What a lot that begins with it is called; another one when a corrected fill has left its lot."""
        return f"{self.trade_id}-{self.corrections}" if self.corrections else self.trade_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LotDraft:
    """A lot before it is stored: the quantity after fees, of which `dust` is below the grid.

    After a sale: the quantity to buy back, at `unit_cost` per coin at most.
    """

    trades: tuple[Fill, ...]
    bought: Decimal
    dust: Decimal
    average_price: Decimal
    unit_cost: Decimal | None = None

    @property
    def first_trade_id(self) -> str:
        return self.trades[0].lot_key


def executed(trades: Sequence[Fill]) -> Decimal:
    return sum((trade.quantity for trade in trades), ZERO)


def net_quantity(trades: Sequence[Fill], base: str) -> Decimal:
    """Executed quantity less the fee taken in the coin itself (dossier 5.11.4)."""
    fees = sum((trade.fee for trade in trades if trade.fee_currency == base), ZERO)
    return executed(trades) + min(fees, ZERO)


def net_of_fee(quantity: Decimal, *, fee: Decimal, fee_currency: str, base: str) -> Decimal:
    """The same of one execution."""
    return quantity + min(fee, ZERO) if fee_currency == base else quantity


def average_price(trades: Sequence[Fill]) -> Decimal:
    quantity = executed(trades)
    return sum((trade.quantity * trade.price for trade in trades), ZERO) / quantity


def proceeds(trades: Sequence[Fill], quote: str) -> Decimal:
    """Value of a sale less the fee taken in the quote currency (dossier 5.11.4)."""
    fees = sum((trade.fee for trade in trades if trade.fee_currency == quote), ZERO)
    return sum((trade.quantity * trade.price for trade in trades), ZERO) + min(fees, ZERO)


def lot_draft(
    trades: Sequence[Fill], *, base: str, grid: Grid, stop_pct: Decimal, minimum_usd: Decimal = ZERO
) -> LotDraft | None:
    """The lot of all these trades, or None if too small for a stop or the policy: then it waits for more trades."""
    ordered = _ordered(trades)
    if not ordered:
        return None
    bought, average = net_quantity(ordered, base), average_price(ordered)
    return _draft(ordered, bought, average, grid=grid, stop_pct=stop_pct, minimum_usd=minimum_usd)


def lot_draft_of_sale(
    trades: Sequence[Fill], *, quote: str, grid: Grid, stop_pct: Decimal, minimum_usd: Decimal = ZERO
) -> LotDraft | None:
    """The coins that the proceeds of these sales buy back at the worst price, at most the quantity sold; or None."""
    ordered = _ordered(trades)
    if not ordered:
        return None
    average = average_price(ordered)
    stop = stop_of(average, stop_pct, grid.price_tick, ExitSide.BUY)
    cost = unit_cost_of(stop, grid.price_tick)
    whole = round_to_lot_size(min(executed(ordered), proceeds(ordered, quote) / cost), grid.quantity_tick)
    if not is_large_enough(whole, price=average, stop=average, grid=grid, minimum_usd=minimum_usd):
        return None
    return LotDraft(trades=ordered, bought=whole, dust=ZERO, average_price=average, unit_cost=cost)


def _ordered(trades: Sequence[Fill]) -> tuple[Fill, ...]:
    return tuple(sorted(trades, key=lambda trade: (trade.at_ns, trade.trade_id)))


def is_large_enough(
    whole: Decimal, *, price: Decimal, stop: Decimal, grid: Grid, minimum_usd: Decimal
) -> bool:
    """Whether `whole`, on the lot size, is enough for an order at `stop`, and at `price` for the policy.

    Both prices are in the currency whose value the grid knows. Without that value the exchange decides.
    """
    value = whole * price
    is_worth_it = grid.quote_usd is None or value * grid.quote_usd >= minimum_usd
    return is_placeable(whole, stop, grid) and is_worth_it


def merged_price(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Average price of (quantity, price) parts, weighted by quantity."""
    total = sum((quantity for quantity, _ in parts), ZERO)
    return sum((quantity * price for quantity, price in parts), ZERO) / total


def rests_draft(
    parts: Sequence[tuple[Decimal, Decimal]], *, grid: Grid, stop_pct: Decimal, minimum_usd: Decimal = ZERO
) -> LotDraft | None:
    """The lot of (quantity, price) parts that are too small alone, or None if they are too small together."""
    bought = sum((quantity for quantity, _ in parts), ZERO)
    if not bought:
        return None
    return _draft((), bought, merged_price(parts), grid=grid, stop_pct=stop_pct, minimum_usd=minimum_usd)


def _draft(
    trades: tuple[Fill, ...],
    bought: Decimal,
    average: Decimal,
    *,
    grid: Grid,
    stop_pct: Decimal,
    minimum_usd: Decimal,
) -> LotDraft | None:
    whole = round_to_lot_size(bought, grid.quantity_tick)
    stop = stop_of(average, stop_pct, grid.price_tick)
    if not is_large_enough(whole, price=average, stop=stop, grid=grid, minimum_usd=minimum_usd):
        return None
    return LotDraft(trades=trades, bought=bought, dust=bought - whole, average_price=average)
