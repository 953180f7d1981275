"""One group in money (pure): what it guards, what it lost or won so far, what it may lose or win.

Prices are in the quote currency, money in USD before fees, None where a price that it needs is not known. A
buy-back wins what it pays less than the sale brought, and loses what it pays more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.pricing import Way
from oco.presentation.proposal import percent_from

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`entry` is the average price of the entry, `price` the one now, `covered` what its orders are for.

    What may be lost and won counts from the entry; where there is none, because a person asked, from the price
    now. What is won so far counts from the entry too, or else from `cost`, the average of all of that coin.
    `ceiling` is the most that the stop of a buy-back pays.
    """

    quantity: Decimal
    covered: Decimal
    stop: Decimal
    target: Decimal | None
    entry: Decimal | None
    price: Decimal | None
    quote_usd: Decimal | None
    cost: Decimal | None = None
    way: Way = Way.SELLS
    ceiling: Decimal | None = None

    @property
    def paid(self) -> Decimal | None:
        return self.cost if self.entry is None else self.entry

    @property
    def start(self) -> Decimal | None:
        return self.price if self.entry is None else self.entry

    @property
    def value_usd(self) -> Decimal | None:
        """What it is worth now, which is what buying it back would cost."""
        if self.price is None or self.quote_usd is None:
            return None
        return self.price * self.quantity * self.quote_usd

    @property
    def unrealised_usd(self) -> Decimal | None:
        return self._result(self.quantity, self.price, self.paid)

    @property
    def unrealised_pct(self) -> Decimal | None:
        percent = _percent(self.paid, self.price)
        return percent if percent is None else gain_of(self.way, percent)

    @property
    def loss_usd(self) -> Decimal | None:
        """Mostly negative; a stop that was moved above what was paid wins."""
        return self._result(self.covered, self.stop, self.start)

    @property
    def worst_usd(self) -> Decimal | None:
        """The same, where all of it is bought back as dear as can be."""
        return self._result(self.covered, self.ceiling, self.start)

    @property
    def gain_usd(self) -> Decimal | None:
        return self._result(self.covered, self.target, self.start)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the price has jumped above the most that is paid: then nothing is bought until it comes back."""
        return self.ceiling is not None and self.price is not None and self.price > self.ceiling

    @property
    def stop_away_pct(self) -> Decimal | None:
        """From the price now."""
        return _percent(self.price, self.stop)

    @property
    def target_away_pct(self) -> Decimal | None:
        return _percent(self.price, self.target)

    @property
    def reward_to_risk(self) -> Decimal | None:
        loss, gain = self.loss_usd, self.gain_usd
        return gain / -loss if gain is not None and loss is not None and loss < 0 else None

    def _result(self, quantity: Decimal, price: Decimal | None, start: Decimal | None) -> Decimal | None:
        if price is None or start is None or self.quote_usd is None:
            return None
        return gain_of(self.way, price - start) * quantity * self.quote_usd


def gain_of(way: Way, risen: Decimal) -> Decimal:
    """What it means for us that a price has risen so far, in whatever unit: to buy back it should fall."""
    return risen if way is Way.SELLS else -risen


def _percent(start: Decimal | None, end: Decimal | None) -> Decimal | None:
    return percent_from(start, end) if start and end is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution for the group: its entry, or one of its orders."""

    side: str
    quantity: Decimal
    price: Decimal


def realised_of(
    fills: Iterable[Fill], *, paid: Decimal | None, quote_usd: Decimal | None, way: Way = Way.SELLS
) -> Decimal | None:
    """What the sales brought above what the sold coins had cost, or the sale above what buying them back cost;
    None when that is not known.
    """
    if paid is None or quote_usd is None:
        return None
    gains = [gain_of(way, fill.price - paid) * fill.quantity for fill in fills if fill.side == way]
    return sum(gains, ZERO) * quote_usd if gains else None
