"""Stop and target prices, and what of a lot can be placed where the market is now (pure, rule 3).

Prices are in the quote currency. Every rounding happens here and says which way and why.

Which way the orders of a group go: sell coins that are held, or buy back what was sold (pure, rule 4).

Everything that is said of a price in one way holds mirrored in the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

ONE, HUNDRED = Decimal(1), Decimal(100)


class Way(StrEnum):
    """The value is the side of the orders."""

    SELLS = "SELL"  # guards coins: the stop lies below, the target above
    BUYS = "BUY"  # buys back: the stop lies above, the target below

    @classmethod
    def after(cls, side: str) -> "Way":
        """The way of the orders that follow an entry of this side."""
        return cls.SELLS if side == "BUY" else cls.BUYS

    def reached(self, price: Decimal, stop: Decimal) -> bool:
        """Whether `price` is at the stop or beyond it."""
        return price <= stop if self is Way.SELLS else price >= stop

    def nearer_stop(self, prices: Iterable[Decimal]) -> Decimal:
        """That of these which is the worst for us."""
        return min(prices) if self is Way.SELLS else max(prices)

    def farther_target(self, prices: Iterable[Decimal]) -> Decimal:
        """That of these which lies farther on the side of the target."""
        return max(prices) if self is Way.SELLS else min(prices)

    def against(self, price: Decimal, percent: Decimal) -> Decimal:
        """So many per cent of `price` on the side of the stop."""
        return price * (ONE - percent / HUNDRED if self is Way.SELLS else ONE + percent / HUNDRED)

    def towards(self, price: Decimal, percent: Decimal) -> Decimal:
        """So many per cent of `price` on the side of the target."""
        return price * (ONE + percent / HUNDRED if self is Way.SELLS else ONE - percent / HUNDRED)

    @property
    def stop_side(self) -> str:
        return "below" if self is Way.SELLS else "above"

    @property
    def target_side(self) -> str:
        return "above" if self is Way.SELLS else "below"

    @property
    def done(self) -> str:
        return "sold" if self is Way.SELLS else "bought"

    @property
    def doing(self) -> str:
        return "selling" if self is Way.SELLS else "buying"

    @property
    def order(self) -> str:
        return "sale" if self is Way.SELLS else "purchase"

    @property
    def serves(self) -> str:
        """What its orders do for the lot."""
        return "protects it" if self is Way.SELLS else "buys it back"

    @property
    def name_of_pair(self) -> str:
        return "protection" if self is Way.SELLS else "buy-back"

    @property
    def meets(self) -> str:
        """What an order at the market executes against."""
        return "bid" if self is Way.SELLS else "ask"

    @property
    def means(self) -> str:
        """What its orders need."""
        return "coins" if self is Way.SELLS else "money"


MINIMUM_USD = Decimal(
    "1.02"
)  # the exchange wants 1 USD (dossier 5.11.5); the rest is for a falling quote currency
HIGHEST_TARGET = Decimal(10)  # times mark, for a limit sell (dossier 5.11.6)
LOWEST_TARGET = Decimal("0.1")  # times mark, for a limit buy
CEILING_PCT = Decimal(
    3
)  # above its trigger the stop of a buy-back pays at most; the exchange allows 15 (5.20)
FEE_PCT = Decimal("0.5")  # of the lowest tier (dossier 5.9), which may be taken from the money


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The steps of an instrument, and what one unit of its quote currency is worth; None is not known."""

    price_tick: Decimal
    quantity_tick: Decimal
    quote_usd: Decimal | None = ONE


class Kind(StrEnum):
    """What can be placed now."""

    PAIR = "PAIR"
    STOP = "STOP"  # alone: no room for a target, or the stop is too near to mark for a pair
    NOTHING = "NOTHING"
    BEYOND = "BEYOND"  # mark has reached the stop already (rule 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    kind: Kind
    quantity: Decimal = Decimal(0)
    stop: Decimal = Decimal(0)
    target: Decimal | None = None
    reason: str = ""


def round_down(value: Decimal, tick: Decimal) -> Decimal:
    return (value / tick).to_integral_value(ROUND_FLOOR) * tick


def round_up(value: Decimal, tick: Decimal) -> Decimal:
    return (value / tick).to_integral_value(ROUND_CEILING) * tick


def whole_lots(quantity: Decimal, tick: Decimal) -> Decimal:
    """Down to the grid: one never sells more than there is. What is cut off is dust."""
    return max(round_down(quantity, tick), Decimal(0))


def on_target_side(value: Decimal, tick: Decimal, way: Way) -> Decimal:
    """To the grid, towards the target: away from the market for a target, towards the entry for a stop."""
    return round_up(value, tick) if way is Way.SELLS else round_down(value, tick)


def stop_of(average: Decimal, percent: Decimal, tick: Decimal, way: Way = Way.SELLS) -> Decimal:
    """Rounded towards the entry: never risk more than asked."""
    return on_target_side(way.against(average, percent), tick, way)


def target_of(average: Decimal, percent: Decimal, tick: Decimal, way: Way = Way.SELLS) -> Decimal:
    """Rounded away from the entry: never take less than asked."""
    return on_target_side(way.towards(average, percent), tick, way)


def ceiling_of(stop: Decimal, tick: Decimal) -> Decimal:
    """The most that is paid for a coin once the stop of a buy-back has fired."""
    return round_down(Way.BUYS.against(stop, CEILING_PCT), tick)


def unit_cost_of(stop: Decimal, tick: Decimal) -> Decimal:
    """What buying one coin back may cost at worst, fee included, in the quote currency."""
    return Way.BUYS.against(ceiling_of(stop, tick), FEE_PCT)


def lowest_price(stop: Decimal, target: Decimal | None, way: Way) -> Decimal:
    """At which the orders are worth least."""
    return stop if way is Way.SELLS or target is None else target


def is_placeable(quantity: Decimal, price: Decimal, grid: Grid) -> bool:
    """Whether the exchange takes an order of this size. An unknown dollar price is left to the exchange."""
    if quantity < grid.quantity_tick:
        return False
    return grid.quote_usd is None or quantity * price * grid.quote_usd >= MINIMUM_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where the market is, and what is to be put up there."""

    quantity: Decimal
    stop: Decimal
    target: Decimal | None
    mark: Decimal
    distance_pct: Decimal
    grid: Grid
    way: Way = Way.SELLS

    @property
    def shown(self) -> Decimal | None:
        """The target where it can be placed, rounded away from the market, so that it does not trade at once."""
        if self.target is None:
            return None
        nearest = on_target_side(
            self.way.towards(self.mark, self.distance_pct), self.grid.price_tick, self.way
        )
        return self.way.farther_target((self.target, nearest))

    @property
    def why_alone(self) -> str:
        """Why the stop goes without a target, or nothing."""
        shown, mark = self.shown, self.mark
        if shown is None:
            return "No target is wanted."
        if is_too_near(mark, self.stop, self.distance_pct, self.way):
            return f"The stop {self.stop} is less than {self.distance_pct} % from mark {mark}, too near for a pair."
        if shown > mark * HIGHEST_TARGET:
            return f"The target {self.target} is more than ten times mark {mark}."
        if shown < mark * LOWEST_TARGET:
            return f"The target {self.target} is less than a tenth of mark {mark}."
        if not is_placeable(self.quantity, lowest_price(self.stop, shown, self.way), self.grid):
            return f"{self.quantity} at {shown} is below what the exchange takes."
        return ""


def placement(
    *,
    quantity: Decimal,
    stop: Decimal,
    target: Decimal | None,
    mark: Decimal,
    distance_pct: Decimal,
    grid: Grid,
    way: Way = Way.SELLS,
) -> Placement:
    """The best cover for `quantity` with mark where it is: a pair, else a stop alone, else why not.

    A target that is passed or too near becomes the first placeable price behind mark (rule 3). The stop never
    moves: too near for a pair, it goes alone (the distance binds pairs only, dossier 5.20).
    """
    whole = whole_lots(quantity, grid.quantity_tick)
    if not is_placeable(whole, stop, grid):
        return Placement(kind=Kind.NOTHING, reason=f"{whole} at {stop} is below what the exchange takes.")
    if way.reached(mark, stop):
        reason = f"Mark {mark} is at or {way.stop_side} the stop {stop}."
        return Placement(kind=Kind.BEYOND, quantity=whole, stop=stop, reason=reason)
    room = Room(
        quantity=whole, stop=stop, target=target, mark=mark, distance_pct=distance_pct, grid=grid, way=way
    )
    if room.why_alone:
        return Placement(kind=Kind.STOP, quantity=whole, stop=stop, reason=room.why_alone)
    shown = room.shown
    moved = f"The target {target} is passed: {shown} is the first price {way.target_side}."
    return Placement(
        kind=Kind.PAIR, quantity=whole, stop=stop, target=shown, reason="" if shown == target else moved
    )


def is_too_near(mark: Decimal, stop: Decimal, distance_pct: Decimal, way: Way = Way.SELLS) -> bool:
    """Whether a stop leaves no room for a pair (dossier 5.20)."""
    nearest = way.against(mark, distance_pct)
    return stop != nearest and way.reached(nearest, stop)


def is_near(mark: Decimal, target: Decimal, distance_pct: Decimal, way: Way = Way.SELLS) -> bool:
    """Whether a partly filled target is about to fill (rule 8)."""
    edge = way.against(target, distance_pct)
    return mark >= edge if way is Way.SELLS else mark <= edge
