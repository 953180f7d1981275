"""How well each coin is covered, told from its groups and from the orders of others (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from oco.engine.allocation import Committed
from oco.engine.pricing import Grid, is_placeable, whole_lots
from oco.engine.states import State

ZERO = Decimal(0)
BEFORE_US = (
    "You held this before the desk started, or told it not to protect it: it is touched only when you ask."
)
LOCKED = "Locked by your order, which is no stop."
NEXT_CYCLE = "The worker places its orders in the next cycle."


class Cover(StrEnum):
    """What a position is called; the worst comes first."""

    STOP_FAILED = "STOP_FAILED"
    UNKNOWN = "UNKNOWN"
    UNPROTECTED = "UNPROTECTED"
    PARTLY = "PARTLY"
    WAITING = "WAITING"
    PROTECTED = "PROTECTED"


RANK = {cover: rank for rank, cover in enumerate(Cover)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One open group. `quantity` is what its orders are for, `owned` what its lot still owns."""

    instrument_name: str
    state: State
    quantity: Decimal
    owned: Decimal
    is_sent: bool
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """What is held of one currency and who guards it. Without a grid or a price nothing is called too little."""

    currency: str
    instrument_name: str
    held: Decimal
    price_usd: Decimal | None
    grid: Grid | None
    foreign: Committed
    guards: Sequence[Guard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Coins without a stop, and why. `is_sent`: orders are on their way. `is_free`: nobody has a claim on them.
    `state` is that of the group they belong to.
    """

    instrument_name: str
    quantity: Decimal
    market_value_usd: Decimal | None
    since: datetime | None
    reason: str
    is_sent: bool = False
    is_free: bool = False
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """One coin: what of it has a stop that was read back open, and what of the rest is worth speaking of.

    `theirs` is what of it only stops that we did not send cover.
    """

    currency: str
    instrument_name: str
    cover: Cover
    held: Decimal
    protected: Decimal
    bare: tuple[Unprotected, ...]
    theirs: Decimal = ZERO

    @property
    def unprotected(self) -> Decimal:
        """Dust included."""
        return self.held - self.protected

    @property
    def may_be_protected(self) -> bool:
        """Whether a person can ask for a stop: what is in a group has asked already."""
        return any(row.is_free for row in self.bare)

    @property
    def bare_usd(self) -> Decimal | None:
        """What the rest is worth; None while no price is known."""
        values = [row.market_value_usd for row in self.bare if row.market_value_usd is not None]
        return sum(values, ZERO) if values else None


def covered_of(coin: Coin) -> Covered:
    """Our stops, then those of others (rule 2), which may stand for a group that has none; only what was
    observed counts (rule 5).
    """
    active = [guard for guard in coin.guards if guard.state is State.ACTIVE]
    ours = min(coin.held, sum((min(guard.quantity, guard.owned) for guard in active), ZERO))
    theirs = min(coin.held - ours, coin.foreign.covered)
    rest, bare = coin.held - ours - theirs, []
    for guard in coin.guards:
        if guard.state is not State.ACTIVE:
            bare.append(_of_guard(coin, guard, min(guard.owned, rest)))
            rest -= bare[-1].quantity
    bare += _nobodys(coin, rest)
    shown = tuple(row for row in bare if row.quantity)
    return Covered(
        currency=coin.currency,
        instrument_name=coin.instrument_name,
        cover=_cover(coin.guards, ours + theirs, shown),
        held=coin.held,
        protected=ours + theirs,
        bare=shown,
        theirs=theirs,
    )


def called(guard: Guard, *, tick: Decimal | None) -> Cover:
    """What one group by itself is called; less than `tick` that no order is for is no lack."""
    if guard.state in (State.STOP_FAILED, State.UNKNOWN):
        return Cover(guard.state)
    if guard.state is not State.ACTIVE:
        return Cover.WAITING if guard.is_sent else Cover.UNPROTECTED
    owed = whole_lots(guard.owned, tick) if tick else guard.owned
    return Cover.PARTLY if guard.quantity < owed else Cover.PROTECTED


def _of_guard(coin: Coin, guard: Guard, quantity: Decimal) -> Unprotected:
    return Unprotected(
        instrument_name=guard.instrument_name,
        quantity=quantity,
        market_value_usd=_value(coin, quantity),
        since=guard.since,
        reason=guard.reason or NEXT_CYCLE,
        is_sent=guard.is_sent,
        state=guard.state,
    )


def _nobodys(coin: Coin, rest: Decimal) -> Iterator[Unprotected]:
    """What belongs to no group. Dust is shown in the portfolio and is no alarm (protection 1, Lot)."""
    locked = min(rest, coin.foreign.locked)
    for quantity, reason, is_free in ((locked, LOCKED, False), (rest - locked, BEFORE_US, True)):
        if not _is_dust(coin, quantity):
            yield Unprotected(
                instrument_name=coin.instrument_name,
                quantity=quantity,
                market_value_usd=_value(coin, quantity),
                since=None,
                reason=reason,
                is_free=is_free,
            )


def _is_dust(coin: Coin, quantity: Decimal) -> bool:
    """Whether the exchange would take no order for it."""
    if not quantity or coin.grid is None or coin.price_usd is None:
        return not quantity
    in_usd = Grid(price_tick=coin.grid.price_tick, quantity_tick=coin.grid.quantity_tick)
    return not is_placeable(whole_lots(quantity, in_usd.quantity_tick), coin.price_usd, in_usd)


def _value(coin: Coin, quantity: Decimal) -> Decimal | None:
    return None if coin.price_usd is None else quantity * coin.price_usd


def _cover(guards: Sequence[Guard], protected: Decimal, bare: Sequence[Unprotected]) -> Cover:
    states = {guard.state for guard in guards}
    if State.STOP_FAILED in states:
        return Cover.STOP_FAILED
    if State.UNKNOWN in states:
        return Cover.UNKNOWN
    if any(not row.is_sent for row in bare):
        return Cover.PARTLY if protected else Cover.UNPROTECTED
    return Cover.WAITING if bare else Cover.PROTECTED
