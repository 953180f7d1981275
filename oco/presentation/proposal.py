"""What would be sent for a position, and what it would mean in money (pure).

Prices are in the quote currency, money in USD; gains and losses count from the price now, after the fee of the
sale.
"""

from dataclasses import dataclass
from decimal import Decimal

from oco.engine.pricing import Grid, Kind, Placement, is_too_near, placement

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The market and the account as far as an order is concerned; fee rates are shares of the value."""

    instrument_name: str
    base: str
    quote: str
    mark: Decimal
    quote_usd: Decimal
    grid: Grid
    maker: Decimal
    taker: Decimal
    distance_pct: Decimal
    total_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A stop and a target for `quantity`, with mark where it is now."""

    terms: Terms
    quantity: Decimal
    stop: Decimal
    target: Decimal | None

    @property
    def placed(self) -> Placement:
        """What the worker would place, were mark still there."""
        return placement(
            quantity=self.quantity,
            stop=self.stop,
            target=self.target,
            mark=self.terms.mark,
            distance_pct=self.terms.distance_pct,
            grid=self.terms.grid,
        )

    @property
    def is_pair(self) -> bool:
        return self.placed.kind is Kind.PAIR

    @property
    def target_placed(self) -> Decimal | None:
        """None where the stop goes alone; above the wish where that is passed or too near."""
        return self.placed.target if self.is_pair else None

    @property
    def is_target_moved(self) -> bool:
        return self.is_pair and self.placed.target != self.target

    @property
    def is_stop_too_near(self) -> bool:
        """Whether it is for this that the wished target cannot be placed."""
        near = is_too_near(self.terms.mark, self.stop, self.terms.distance_pct)
        return near and self.target is not None and self.placed.kind is Kind.STOP

    @property
    def value_usd(self) -> Decimal:
        return self.quantity * self.terms.mark * self.terms.quote_usd

    @property
    def stop_pct(self) -> Decimal:
        return percent_from(self.terms.mark, self.stop)

    @property
    def target_pct(self) -> Decimal | None:
        target = self.target_placed
        return None if target is None else percent_from(self.terms.mark, target)

    @property
    def loss_usd(self) -> Decimal:
        """Negative. The stop sells at the market: it may be worse."""
        return self._result(self.stop, self.terms.taker)

    @property
    def gain_usd(self) -> Decimal | None:
        target = self.target_placed
        return None if target is None else self._result(target, self.terms.maker)

    @property
    def share_pct(self) -> Decimal | None:
        """The loss as a share of everything that has a price, positive."""
        total = self.terms.total_usd
        return -self.loss_usd / total * HUNDRED if total else None

    @property
    def reward_to_risk(self) -> Decimal | None:
        gain = self.gain_usd
        return None if gain is None or not self.loss_usd else gain / -self.loss_usd

    def _result(self, price: Decimal, fee: Decimal) -> Decimal:
        received = price * (1 - fee)
        return (received - self.terms.mark) * self.quantity * self.terms.quote_usd


def percent_from(start: Decimal, end: Decimal) -> Decimal:
    """How far `end` lies from `start`, in per cent of it; negative below."""
    return (end / start - 1) * HUNDRED
