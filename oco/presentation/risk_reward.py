"""One group, or a proposal for a position, in money (pure).

Prices are in the quote currency, money in USD; None when a required price is unknown. Two figures, never added:
`max_loss` is what is lost from the current price to the stop, a result counts against what was paid, before fees: a
buy-back wins when it pays less than the proceeds of the sale, and loses when it pays more. A proposal counts from the
current price, after the fee of the sale.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.pricing import ExitSide, Grid, Placement, PlacementKind, is_within_min_distance, placement

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Market and account data for an order; fee rates are ratios of the value."""

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
    """A stop and a target for `quantity` at the current mark."""

    terms: Terms
    quantity: Decimal
    stop: Decimal
    target: Decimal | None

    @property
    def placed(self) -> Placement:
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
        return self.placed.kind is PlacementKind.PAIR

    @property
    def target_placed(self) -> Decimal | None:
        """None for a stop only; above the requested target if that is passed or too near."""
        return self.placed.target if self.is_pair else None

    @property
    def is_target_moved(self) -> bool:
        return self.is_pair and self.placed.target != self.target

    @property
    def is_stop_too_near(self) -> bool:
        """Whether the stop is the reason that the requested target cannot be placed."""
        near = is_within_min_distance(self.terms.mark, self.stop, self.terms.distance_pct)
        return near and self.target is not None and self.placed.kind is PlacementKind.STOP

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
        """Negative. The stop sells at market: the loss may be larger."""
        return self._result(self.stop, self.terms.taker)

    @property
    def gain_usd(self) -> Decimal | None:
        target = self.target_placed
        return None if target is None else self._result(target, self.terms.maker)

    @property
    def loss_share_pct(self) -> Decimal | None:
        """The loss as a share of all priced holdings, positive."""
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
    """Distance of `end` from `start` in per cent; negative below."""
    return (end / start - 1) * HUNDRED


ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReward:
    """`entry` is the average entry price, `price` the current price, `covered` the quantity of its orders.

    Results count from the entry, or else from `cost`, the average cost of that coin. `max_buy_price` is the highest
    price that the stop of a buy-back pays.
    """

    quantity: Decimal
    covered: Decimal
    stop: Decimal
    target: Decimal | None
    entry: Decimal | None
    price: Decimal | None
    quote_usd: Decimal | None
    cost: Decimal | None = None
    exit_side: ExitSide = ExitSide.SELL
    max_buy_price: Decimal | None = None

    @property
    def basis_price(self) -> Decimal | None:
        return self.cost if self.entry is None else self.entry

    @property
    def value_usd(self) -> Decimal | None:
        """Current value, which is also the cost of buying it back."""
        if self.price is None or self.quote_usd is None:
            return None
        return self.price * self.quantity * self.quote_usd

    @property
    def unrealised_usd(self) -> Decimal | None:
        return self._result(self.quantity, self.price, self.basis_price)

    @property
    def unrealised_pct(self) -> Decimal | None:
        percent = _percent(self.basis_price, self.price)
        return percent if percent is None else signed_gain(self.exit_side, percent)

    @property
    def max_loss_usd(self) -> Decimal | None:
        """From the current price to the stop: negative while the market has not passed it."""
        return self._result(self.covered, self.stop, self.price)

    @property
    def result_at_stop_usd(self) -> Decimal | None:
        """Against cost: a stop above it still wins."""
        return self._result(self.covered, self.stop, self.basis_price)

    @property
    def result_at_max_price_usd(self) -> Decimal | None:
        return self._result(self.covered, self.max_buy_price, self.basis_price)

    @property
    def result_at_target_usd(self) -> Decimal | None:
        return self._result(self.covered, self.target, self.basis_price)

    @property
    def is_above_limit(self) -> bool:
        """Whether the price is above the max buy price: nothing is bought until it falls back."""
        return self.max_buy_price is not None and self.price is not None and self.price > self.max_buy_price

    @property
    def stop_distance_pct(self) -> Decimal | None:
        return _percent(self.price, self.stop)

    @property
    def target_distance_pct(self) -> Decimal | None:
        return _percent(self.price, self.target)

    @property
    def reward_to_risk(self) -> Decimal | None:
        """From the current price: what the target may still bring by what the stop may still cost."""
        loss, gain = self.max_loss_usd, self._result(self.covered, self.target, self.price)
        return gain / -loss if gain is not None and loss is not None and loss < 0 else None

    def _result(self, quantity: Decimal, price: Decimal | None, start: Decimal | None) -> Decimal | None:
        if price is None or start is None or self.quote_usd is None:
            return None
        return signed_gain(self.exit_side, price - start) * quantity * self.quote_usd


def signed_gain(exit_side: ExitSide, change: Decimal) -> Decimal:
    """The gain for us of a price rise, in any unit: a buy-back gains when the price falls."""
    return change if exit_side is ExitSide.SELL else -change


def _percent(start: Decimal | None, end: Decimal | None) -> Decimal | None:
    return percent_from(start, end) if start and end is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of the group's entry or of one of its orders; `quote_usd` is the rate then, None when unknown."""

    side: str
    quantity: Decimal
    price: Decimal
    quote_usd: Decimal | None = None


def rate_of(fills: Iterable[Fill], *, present: Decimal | None) -> Decimal | None:
    """The rate in dollars at which these were traded, by quantity; that of now for what has none."""
    known = [(fill.quantity, present if fill.quote_usd is None else fill.quote_usd) for fill in fills]
    if not known:
        return present
    if any(rate is None for _, rate in known):
        return None
    total = sum((quantity for quantity, _ in known), ZERO)
    return sum((quantity * rate for quantity, rate in known if rate is not None), ZERO) / total


def realised_of(
    fills: Iterable[Fill],
    *,
    basis_price: Decimal | None,
    quote_usd: Decimal | None,
    exit_side: ExitSide = ExitSide.SELL,
) -> Decimal | None:
    """Proceeds of the sales above the cost of the coins, or of the sale above the cost of buying back, in USD.

    Each side counts at the rate of its trades; `quote_usd` is the present one. None when unknown.
    """
    listed = list(fills)
    exits = [fill for fill in listed if fill.side == exit_side]
    entered_at = rate_of((fill for fill in listed if fill.side != exit_side), present=quote_usd)
    if basis_price is None or entered_at is None or not exits:
        return None
    total = ZERO
    for fill in exits:
        rate = rate_of([fill], present=quote_usd)
        if rate is None:
            return None
        total += signed_gain(exit_side, fill.price * rate - basis_price * entered_at) * fill.quantity
    return total
