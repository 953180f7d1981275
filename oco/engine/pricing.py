"""Stop and target prices, the exit side, and the placement that the market allows (pure, rules 3 and 4).

Prices are in the quote currency. Every rounding happens here and states its direction and reason. Everything
that holds for one exit side holds mirrored for the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from exchange.core.reasons import Reason, reason
from oco.engine.reason_codes import ReasonCode

if TYPE_CHECKING:
    from exchange.schemas import Ticker

ONE, HUNDRED = Decimal(1), Decimal(100)


class ExitSide(StrEnum):
    """Side of a group's orders: sell coins that are held, or buy back coins that were sold."""

    SELL = "SELL"  # protects coins: stop below, target above
    BUY = "BUY"  # buys back: stop above, target below

    @classmethod
    def for_entry_side(cls, side: str) -> "ExitSide":
        return cls.SELL if side == "BUY" else cls.BUY

    def stop_reached(self, price: Decimal, stop: Decimal) -> bool:
        """Whether `price` is at the stop or past it."""
        return price <= stop if self is ExitSide.SELL else price >= stop

    def worst_price(self, prices: Iterable[Decimal]) -> Decimal:
        return min(prices) if self is ExitSide.SELL else max(prices)

    def fall(self, start: Decimal, end: Decimal) -> Decimal:
        """How far `end` is from `start` towards the stop; negative towards the target."""
        return start - end if self is ExitSide.SELL else end - start

    def farther_from_entry(self, prices: Iterable[Decimal]) -> Decimal:
        return max(prices) if self is ExitSide.SELL else min(prices)

    def towards_stop(self, price: Decimal, percent: Decimal) -> Decimal:
        """`price` moved by `percent` towards the stop."""
        return price * (ONE - percent / HUNDRED if self is ExitSide.SELL else ONE + percent / HUNDRED)

    def towards_target(self, price: Decimal, percent: Decimal) -> Decimal:
        """`price` moved by `percent` towards the target."""
        return price * (ONE + percent / HUNDRED if self is ExitSide.SELL else ONE - percent / HUNDRED)


MINIMUM_USD = Decimal(
    "1.02"
)  # the exchange minimum is 1 USD (dossier 5.11.5); the margin is for a falling quote currency
MAX_TICK_SHARE = Decimal("0.01")  # of the price; finer ones move a stop by less than its distance
MAX_TARGET_FACTOR = Decimal(10)  # times mark, for a limit sell (dossier 5.11.6)
MIN_TARGET_FACTOR = Decimal("0.1")  # times mark, for a limit buy
MAX_BUY_PRICE_PCT = Decimal(
    3
)  # max buy price of a stop above its trigger; the exchange allows 15 (dossier 5.20)
FEE_PCT = Decimal("0.5")  # lowest tier (dossier 5.9); may be taken in the quote currency


class HasTickSizes(Protocol):
    """An instrument of the catalogue."""

    @property
    def price_tick_size(self) -> Decimal: ...

    @property
    def qty_tick_size(self) -> Decimal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Tick sizes of an instrument, and the USD value of its quote currency (None: unknown)."""

    price_tick: Decimal
    quantity_tick: Decimal
    quote_usd: Decimal | None = ONE

    @classmethod
    def of(cls, instrument: HasTickSizes, quote_usd: Decimal | None = ONE) -> Self:
        return cls(
            price_tick=instrument.price_tick_size,
            quantity_tick=instrument.qty_tick_size,
            quote_usd=quote_usd,
        )


class PlacementKind(StrEnum):
    PAIR = "PAIR"
    STOP = "STOP"  # stop only: no feasible target, or the stop is too near to mark for a pair
    NONE = "NONE"
    STOP_CROSSED = "STOP_CROSSED"  # mark is already at the stop or past it (rule 9)
    TOO_CLOSE = "TOO_CLOSE"  # a tick or the spread alone would trigger the stop (rule 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestPrices:
    """Best bid and best ask as one side sees them: `near` is what its orders trade at, `far` the other one.

    Without a ticker both are the mark price, and the spread is unknown.
    """

    near: Decimal
    far: Decimal
    exit_side: ExitSide

    @classmethod
    def of(cls, bid: Decimal | None, ask: Decimal | None, mark: Decimal, exit_side: ExitSide) -> Self:
        near, far = (bid, ask) if exit_side is ExitSide.SELL else (ask, bid)
        return cls(near=mark if near is None else near, far=mark if far is None else far, exit_side=exit_side)

    def clearance(self, tick: Decimal) -> Decimal:
        """The distance that a price may show without having moved: one tick, or the spread if that is wider."""
        return max(tick, self.exit_side.fall(self.far, self.near))

    def has_moved(self, *, entry: Decimal | None, stop: Decimal, tick: Decimal) -> bool:
        """Whether the price moved towards the stop, by more than rounding and spread explain (rules 3 and 9).

        Like is compared with like: a coin was bought at the ask, so it is the ask that has to have fallen. A stop that
        was set beyond the entry, or has no entry, counts from itself.
        """
        side = self.exit_side
        if entry is None or side.fall(entry, stop) <= -tick:
            return side.fall(stop, self.far) >= tick
        return side.fall(entry, self.far) >= self.clearance(tick)

    def is_too_close(self, stop: Decimal, tick: Decimal) -> bool:
        return self.exit_side.fall(self.near, stop) < self.clearance(tick)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    kind: PlacementKind
    quantity: Decimal = Decimal(0)
    stop: Decimal = Decimal(0)
    target: Decimal | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the stop of a group that was never covered is checked against. An entry of None is unknown."""

    best: BestPrices
    entry: Decimal | None

    def is_too_close(self, stop: Decimal, tick: Decimal) -> bool:
        return self.best.is_too_close(stop, tick) and not self.best.has_moved(
            entry=self.entry, stop=stop, tick=tick
        )

    def reason(self, stop: Decimal, tick: Decimal) -> Reason:
        return stop_within_spread(self.best, stop, tick)


def stop_within_spread(best: BestPrices, stop: Decimal, tick: Decimal) -> Reason:
    """Why the stop can neither be placed nor count as passed: a person must choose another one."""
    return reason(
        ReasonCode.STOP_WITHIN_SPREAD,
        side=best.exit_side,
        stop=stop,
        price=best.near,
        clearance=best.clearance(tick),
    )


def usd_of(currency: str, tickers: Mapping[str, "Ticker"]) -> Decimal | None:
    """USD value of one unit; None without a ticker for it."""
    if currency == "USD":
        return Decimal(1)
    ticker = tickers.get(f"{currency}_USD")
    return ticker.last if ticker else None


def round_down(value: Decimal, tick: Decimal) -> Decimal:
    return (value / tick).to_integral_value(ROUND_FLOOR) * tick


def round_up(value: Decimal, tick: Decimal) -> Decimal:
    return (value / tick).to_integral_value(ROUND_CEILING) * tick


def round_to_lot_size(quantity: Decimal, tick: Decimal) -> Decimal:
    """Rounded down, so that an order never exceeds the balance. The remainder is dust."""
    return max(round_down(quantity, tick), Decimal(0))


def round_towards_target(value: Decimal, tick: Decimal, exit_side: ExitSide) -> Decimal:
    """To the price grid: a target away from the market, a stop towards the entry."""
    return round_up(value, tick) if exit_side is ExitSide.SELL else round_down(value, tick)


def stop_of(
    average: Decimal, percent: Decimal, tick: Decimal, exit_side: ExitSide = ExitSide.SELL
) -> Decimal:
    """Rounded towards the entry: never more risk than requested."""
    return round_towards_target(exit_side.towards_stop(average, percent), tick, exit_side)


def target_of(
    average: Decimal, percent: Decimal, tick: Decimal, exit_side: ExitSide = ExitSide.SELL
) -> Decimal:
    """Rounded away from the entry: never less than requested."""
    return round_towards_target(exit_side.towards_target(average, percent), tick, exit_side)


def max_buy_price_of(stop: Decimal, tick: Decimal) -> Decimal:
    """The highest price paid for a coin once the stop of a buy-back has triggered."""
    return round_down(ExitSide.BUY.towards_stop(stop, MAX_BUY_PRICE_PCT), tick)


def unit_cost_of(stop: Decimal, tick: Decimal) -> Decimal:
    """The most that buying one coin back may cost, fee included, in the quote currency."""
    return ExitSide.BUY.towards_stop(max_buy_price_of(stop, tick), FEE_PCT)


def lower_price(stop: Decimal, target: Decimal | None, exit_side: ExitSide) -> Decimal:
    """The lower price of stop and target: there the orders have the lowest value."""
    return stop if exit_side is ExitSide.SELL or target is None else target


def is_placeable(quantity: Decimal, price: Decimal, grid: Grid) -> bool:
    """Whether the exchange accepts an order of this size. With an unknown USD price the exchange decides."""
    if quantity < grid.quantity_tick:
        return False
    return grid.quote_usd is None or quantity * price * grid.quote_usd >= MINIMUM_USD


def leaves_unplaced(quantity: Decimal, price: Decimal, grid: Grid) -> bool:
    """Whether the grid, not the quantity, keeps an order or a part of it that is worth one from being placed; or its
    price tick is too coarse for a stop. Both are rare, and a wrong row of the catalogue looks like that.
    """
    if grid.price_tick > price * MAX_TICK_SHARE:
        return True
    whole = round_to_lot_size(quantity, grid.quantity_tick)
    usd = grid.quote_usd or ONE
    left = quantity if whole * price * usd < MINIMUM_USD else quantity - whole
    return left * price * usd >= MINIMUM_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class FeasiblePlacement:
    """Market price, and the orders to place there."""

    quantity: Decimal
    stop: Decimal
    target: Decimal | None
    mark: Decimal
    distance_pct: Decimal
    grid: Grid
    exit_side: ExitSide = ExitSide.SELL

    @property
    def placeable_target(self) -> Decimal | None:
        """The target, or the first price behind mark that can be placed; rounded so that it does not fill at once."""
        if self.target is None:
            return None
        nearest = round_towards_target(
            self.exit_side.towards_target(self.mark, self.distance_pct), self.grid.price_tick, self.exit_side
        )
        return self.exit_side.farther_from_entry((self.target, nearest))

    @property
    def why_stop_only(self) -> Reason | None:
        """Why the stop is placed without a target; None if it is a pair."""
        placeable_target, mark = self.placeable_target, self.mark
        if placeable_target is None:
            return reason(ReasonCode.NO_TARGET)
        if is_within_min_distance(mark, self.stop, self.distance_pct, self.exit_side):
            return reason(ReasonCode.STOP_TOO_CLOSE, stop=self.stop, distance=self.distance_pct, mark=mark)
        if placeable_target > mark * MAX_TARGET_FACTOR:
            return reason(ReasonCode.TARGET_TOO_HIGH, target=self.target, mark=mark)
        if placeable_target < mark * MIN_TARGET_FACTOR:
            return reason(ReasonCode.TARGET_TOO_LOW, target=self.target, mark=mark)
        if not is_placeable(
            self.quantity, lower_price(self.stop, placeable_target, self.exit_side), self.grid
        ):
            return reason(ReasonCode.BELOW_MINIMUM, quantity=self.quantity, price=placeable_target)
        return None


def placement(
    *,
    quantity: Decimal,
    stop: Decimal,
    target: Decimal | None,
    mark: Decimal,
    distance_pct: Decimal,
    grid: Grid,
    exit_side: ExitSide = ExitSide.SELL,
    opening: Opening | None = None,
) -> Placement:
    """The best coverage for `quantity` at the current mark: a pair, else a stop only, else the reason why not.

    A target that is passed or too near becomes the first placeable price behind mark (rule 3). The stop never
    moves: if it is too near for a pair, it is placed alone (the distance binds pairs only, dossier 5.20).
    `opening` is given for the first orders of a group: their stop is not placed where a tick or the spread would
    trigger it, unless the price moved there.
    """
    whole = round_to_lot_size(quantity, grid.quantity_tick)
    if not is_placeable(whole, stop, grid):
        return Placement(
            kind=PlacementKind.NONE, reason=reason(ReasonCode.BELOW_MINIMUM, quantity=whole, price=stop)
        )
    if exit_side.stop_reached(mark, stop):
        crossed = reason(ReasonCode.MARK_AT_STOP, side=exit_side, mark=mark, stop=stop)
        return Placement(kind=PlacementKind.STOP_CROSSED, quantity=whole, stop=stop, reason=crossed)
    if opening is not None and opening.is_too_close(stop, grid.price_tick):
        return Placement(
            kind=PlacementKind.TOO_CLOSE,
            quantity=whole,
            stop=stop,
            reason=opening.reason(stop, grid.price_tick),
        )
    feasible_placement = FeasiblePlacement(
        quantity=whole,
        stop=stop,
        target=target,
        mark=mark,
        distance_pct=distance_pct,
        grid=grid,
        exit_side=exit_side,
    )
    why_stop_only = feasible_placement.why_stop_only
    if why_stop_only:
        return Placement(kind=PlacementKind.STOP, quantity=whole, stop=stop, reason=why_stop_only)
    placeable_target = feasible_placement.placeable_target
    moved = reason(ReasonCode.TARGET_PASSED, side=exit_side, target=target, placed=placeable_target)
    return Placement(
        kind=PlacementKind.PAIR,
        quantity=whole,
        stop=stop,
        target=placeable_target,
        reason=None if placeable_target == target else moved,
    )


def is_within_min_distance(
    mark: Decimal, stop: Decimal, distance_pct: Decimal, exit_side: ExitSide = ExitSide.SELL
) -> bool:
    """Whether the stop is too near to mark for a pair (dossier 5.20)."""
    nearest = exit_side.towards_stop(mark, distance_pct)
    return stop != nearest and exit_side.stop_reached(nearest, stop)


def is_near_target(
    mark: Decimal, target: Decimal, distance_pct: Decimal, exit_side: ExitSide = ExitSide.SELL
) -> bool:
    """Whether a partly filled target is about to fill (rule 8)."""
    edge = exit_side.towards_stop(target, distance_pct)
    return mark >= edge if exit_side is ExitSide.SELL else mark <= edge
