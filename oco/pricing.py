"""Stop and target prices, and what of a lot can be placed where the market is now (pure, rule 3).

Prices are in the quote currency. Every rounding happens here and says which way and why.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

MINIMUM_USD = Decimal(
    "1.02"
)  # the exchange wants 1 USD (dossier 5.11.5); the rest is for a falling quote currency
HIGHEST_TARGET = Decimal(10)  # times mark, for a limit sell (dossier 5.11.6)
ONE, HUNDRED = Decimal(1), Decimal(100)


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


def stop_of(average: Decimal, percent: Decimal, tick: Decimal) -> Decimal:
    """Below the entry, rounded up towards it: never risk more than asked."""
    return round_up(average * (ONE - percent / HUNDRED), tick)


def target_of(average: Decimal, percent: Decimal, tick: Decimal) -> Decimal:
    """Above the entry, rounded up away from it: never take less than asked."""
    return round_up(average * (ONE + percent / HUNDRED), tick)


def is_placeable(quantity: Decimal, price: Decimal, grid: Grid) -> bool:
    """Whether the exchange takes an order of this size. An unknown dollar price is left to the exchange."""
    if quantity < grid.quantity_tick:
        return False
    return grid.quote_usd is None or quantity * price * grid.quote_usd >= MINIMUM_USD


def placement(
    *,
    quantity: Decimal,
    stop: Decimal,
    target: Decimal | None,
    mark: Decimal,
    distance_pct: Decimal,
    grid: Grid,
) -> Placement:
    """The best cover for `quantity` with mark where it is: a pair, else a stop alone, else why not.

    A target that is passed or too near becomes the first placeable price above (rule 3). The stop never
    moves: too near for a pair, it goes alone (the distance binds pairs only, dossier 5.20).
    """
    whole = whole_lots(quantity, grid.quantity_tick)
    if not is_placeable(whole, stop, grid):
        return Placement(kind=Kind.NOTHING, reason=f"{whole} at {stop} is below what the exchange takes.")
    if mark <= stop:
        return Placement(
            kind=Kind.BEYOND, quantity=whole, stop=stop, reason=f"Mark {mark} is at or below the stop {stop}."
        )
    alone = _why_alone(stop, target, mark, distance_pct, grid)
    if alone:
        return Placement(kind=Kind.STOP, quantity=whole, stop=stop, reason=alone)
    shown = _placeable_target(target, mark, distance_pct, grid)
    moved = "" if shown == target else f"The target {target} is passed: {shown} is the first price above."
    return Placement(kind=Kind.PAIR, quantity=whole, stop=stop, target=shown, reason=moved)


def _why_alone(
    stop: Decimal, target: Decimal | None, mark: Decimal, distance_pct: Decimal, grid: Grid
) -> str:
    if target is None:
        return "No target is wanted."
    if is_too_near(mark, stop, distance_pct):
        return f"The stop {stop} is less than {distance_pct} % from mark {mark}, too near for a pair."
    if _placeable_target(target, mark, distance_pct, grid) > mark * HIGHEST_TARGET:
        return f"The target {target} is more than ten times mark {mark}."
    return ""


def _placeable_target(target: Decimal | None, mark: Decimal, distance_pct: Decimal, grid: Grid) -> Decimal:
    """Rounded up: away from the market, so that it does not trade at once."""
    nearest = round_up(mark * (ONE + distance_pct / HUNDRED), grid.price_tick)
    return max(target or nearest, nearest)


def is_too_near(mark: Decimal, stop: Decimal, distance_pct: Decimal) -> bool:
    """Whether a stop below mark leaves no room for a pair (dossier 5.20)."""
    return stop > mark * (ONE - distance_pct / HUNDRED)


def is_near(mark: Decimal, target: Decimal, distance_pct: Decimal) -> bool:
    """Whether a partly filled target is about to fill (rule 8)."""
    return mark >= target * (ONE - distance_pct / HUNDRED)
