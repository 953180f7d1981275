"""One group in money (pure): what it guards, what it lost or won so far, what it may lose or win.

Prices are in the quote currency, money in USD before fees, None where a price that it needs is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from oco.proposal import percent_from

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`entry` is the average price of the entry, `price` the one now, `covered` what its orders are for.

    What may be lost and won counts from the entry; where there is none, because a person asked, from the price
    now. What is won so far counts from the entry too, or else from `cost`, the average of all of that coin.
    """

    quantity: Decimal
    covered: Decimal
    stop: Decimal
    target: Decimal | None
    entry: Decimal | None
    price: Decimal | None
    quote_usd: Decimal | None
    cost: Decimal | None = None

    @property
    def paid(self) -> Decimal | None:
        return self.cost if self.entry is None else self.entry

    @property
    def start(self) -> Decimal | None:
        return self.price if self.entry is None else self.entry

    @property
    def value_usd(self) -> Decimal | None:
        return self._worth(self.quantity, self.price, ZERO)

    @property
    def unrealised_usd(self) -> Decimal | None:
        return self._worth(self.quantity, self.price, self.paid)

    @property
    def unrealised_pct(self) -> Decimal | None:
        return _percent(self.paid, self.price)

    @property
    def loss_usd(self) -> Decimal | None:
        """Mostly negative; a stop that was moved above what was paid wins."""
        return self._worth(self.covered, self.stop, self.start)

    @property
    def gain_usd(self) -> Decimal | None:
        return self._worth(self.covered, self.target, self.start)

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

    def _worth(self, quantity: Decimal, price: Decimal | None, start: Decimal | None) -> Decimal | None:
        if price is None or start is None or self.quote_usd is None:
            return None
        return (price - start) * quantity * self.quote_usd


def _percent(start: Decimal | None, end: Decimal | None) -> Decimal | None:
    return percent_from(start, end) if start and end is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution for the group: its entry, or a sale by one of its orders."""

    side: str
    quantity: Decimal
    price: Decimal


def realised_of(fills: Iterable[Fill], *, paid: Decimal | None, quote_usd: Decimal | None) -> Decimal | None:
    """What the sales brought above what the sold coins had cost; None when that is not known."""
    if paid is None or quote_usd is None:
        return None
    gains = [(fill.price - paid) * fill.quantity for fill in fills if fill.side == "SELL"]
    return sum(gains, ZERO) * quote_usd if gains else None
