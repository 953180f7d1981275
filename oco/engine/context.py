"""One group with what the rules keep asking about it (pure)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from oco.engine.pricing import Way, ceiling_of, is_placeable, whole_lots
from oco.engine.states import State, is_final
from oco.engine.types import Desired, Leg, Look, Observed, Order, Role, Standing

LOOK_AGE = timedelta(seconds=5)
RECENT = timedelta(minutes=15)
FAILURES = 3
CLOSED_BY = {
    Role.STOP_LOSS: (State.CLOSED_BY_STOP, "The stop {done} the lot."),
    Role.TAKE_PROFIT: (State.CLOSED_BY_TARGET, "The target {done} the lot."),
    Role.EXIT: (State.CLOSED_BY_EXIT, "The lot was {done} at the market."),
}
BY_HAND = (State.CLOSED_BY_HAND, "The {means} left the account otherwise.")
ROLES = {
    Order.PAIR: (Role.STOP_LOSS, Role.TAKE_PROFIT),
    Order.STOP: (Role.STOP_LOSS,),
    Order.EXIT: (Role.EXIT,),
}


@dataclass(frozen=True)
class Case:
    desired: Desired
    observed: Observed

    @property
    def way(self) -> Way:
        return self.desired.way

    # what there is

    @cached_property
    def live(self) -> list[Leg]:
        return [leg for leg in self.observed.legs if leg.is_live]

    @cached_property
    def newest(self) -> list[Leg]:
        """The legs of the last generation."""
        last = max((leg.generation for leg in self.observed.legs), default=0)
        return [leg for leg in self.observed.legs if leg.generation == last]

    def of(self, standing: Standing) -> list[Leg]:
        return [leg for leg in self.observed.legs if leg.standing is standing]

    def live_of(self, role: Role) -> list[Leg]:
        return [leg for leg in self.live if leg.role is role]

    def newest_of(self, role: Role) -> Leg | None:
        return next((leg for leg in self.newest if leg.role is role), None)

    @property
    def rest(self) -> Decimal:
        """What the lot still owns, on the grid."""
        return whole_lots(self.desired.owned, self.desired.grid.quantity_tick)

    @property
    def cover(self) -> Decimal:
        """What of it may be sold now, on the grid."""
        return whole_lots(self.desired.cover, self.desired.grid.quantity_tick)

    @property
    def ceiling(self) -> Decimal | None:
        """The most that is paid for a coin, where the orders buy."""
        if self.way is Way.SELLS:
            return None
        return ceiling_of(self.desired.stop, self.desired.grid.price_tick)

    @property
    def is_too_dear(self) -> bool:
        """Whether the market is above the most that is paid."""
        return self.ceiling is not None and self.mark is not None and self.mark > self.ceiling

    @property
    def is_worthless(self) -> bool:
        """Whether a sale at the market is below what the exchange takes; not while no price is known."""
        return self.mark is not None and not is_placeable(self.cover, self.mark, self.desired.grid)

    def fits(self, quantity: Decimal) -> bool:
        return is_placeable(quantity, self.desired.stop, self.desired.grid)

    def is_reached(self, price: Decimal) -> bool:
        """Whether the stop lies there already."""
        return self.way.reached(price, self.desired.stop)

    @property
    def is_over(self) -> bool:
        """Nothing is left that an order could sell; a whole lot that lost its worth may yet regain it."""
        return not self.fits(self.rest) and not (self.rest and self.desired.is_whole)

    @property
    def doubtful(self) -> list[Leg]:
        """Legs that may still turn up, where the group is about to end."""
        ends = self.desired.leave or self.is_over
        return [leg for leg in self.observed.legs if leg.is_doubtful] if ends else []

    @property
    def lost_stop(self) -> Leg | None:
        """A stop of the newest pair that the exchange had acknowledged and nobody can find, while its target has
        ended without selling: it may live still, hidden, for nothing has ended it.
        """
        stop, target = self.newest_of(Role.STOP_LOSS), self.newest_of(Role.TAKE_PROFIT)
        if stop is None or target is None or not stop.is_doubtful:
            return None
        return stop if target.standing is Standing.ENDED and not target.executed else None

    # where it stands

    @property
    def is_final(self) -> bool:
        return is_final(self.observed.state)

    @property
    def uncovered(self) -> State:
        """The state of a group whose cover is not observed; STOP_FAILED lasts until it is (rule 7)."""
        state = self.observed.state
        if state is State.STOP_FAILED or self.observed.failures >= FAILURES:
            return State.STOP_FAILED
        fresh = state is State.UNKNOWN and self.observed.last_active_at is None
        return State.PENDING if fresh or state is State.PENDING else State.REPLACING

    @property
    def kept(self) -> State:
        """The state as it is; unknown is over."""
        return self.uncovered if self.observed.state is State.UNKNOWN else self.observed.state

    @property
    def replacing(self) -> State:
        return State.STOP_FAILED if self.uncovered is State.STOP_FAILED else State.REPLACING

    @property
    def closing(self) -> tuple[State, str]:
        """How the lot ended, and in words: by the last of our orders that sold, the stop before its sibling."""
        sold = [leg for leg in self.observed.legs if leg.executed]
        last = max(sold, key=lambda leg: (leg.generation, leg.role is Role.STOP_LOSS), default=None)
        state, words = CLOSED_BY[last.role] if last else BY_HAND
        return state, words.format(done=self.way.done, means=self.way.means)

    @property
    def finishes(self) -> bool:
        """Whether it was our own cancel that took the last cover away (rule 13)."""
        real = [leg for leg in self.observed.legs if leg.standing is Standing.ENDED]
        last = max((leg.generation for leg in real), default=0)
        return self.observed.begun or any(leg.cancelled_by_us for leg in real if leg.generation == last)

    @property
    def grace_is_over(self) -> bool:
        given = self.observed.grace_at
        return given is not None and given < self.observed.cycle_started

    @property
    def was_cancelled_by_hand(self) -> bool:
        """Both legs cancelled, nothing executed, not by us; at least one without a reason of the exchange's own."""
        return (
            bool(self.newest)
            and all(
                leg.end == "CANCELED" and not leg.executed and not leg.cancelled_by_us for leg in self.newest
            )
            and any(not leg.end_code for leg in self.newest)
        )

    # the market

    @cached_property
    def looks(self) -> list[Look]:
        """Those at most 5 s old."""
        return [look for look in self.observed.market.looks if self.observed.now - look.at <= LOOK_AGE]

    @property
    def mark(self) -> Decimal | None:
        return self.looks[-1].mark if self.looks else None

    @property
    def is_recent(self) -> bool:
        """Whether the entry executed, or cover was seen, so lately that a sale is still meant (rule 9)."""
        moments = (self.desired.entered_at, self.observed.last_active_at)
        selling = self.observed.state is State.EXITING
        return selling or any(moment and self._since(moment) <= RECENT for moment in moments)

    def _since(self, moment: datetime) -> timedelta:
        return self.observed.now - moment

    def is_beyond(self, look: Look) -> bool:
        """Mark, the exchange's own published mark, and the best price to be had: all at the stop or beyond."""
        best = look.bid if self.way is Way.SELLS else look.ask
        return all(
            price is not None and self.is_reached(price) for price in (look.mark, look.published, best)
        )

    # what keeps us from placing

    @property
    def why_not(self) -> str:
        """Why nothing may be placed now, or nothing (rules 10, 11, 13)."""
        if not self.observed.can_add:
            return "Not everything that is needed to place an order was read."
        if self.observed.no_create and not self.finishes:
            return self.observed.no_create
        return self.why_no_coins

    @property
    def why_no_sale(self) -> str:
        """Why nothing may be sold at the market, or nothing: the kill switch holds, whatever was begun."""
        if self.observed.no_create:
            return self.observed.no_create
        return self.why_not

    @property
    def why_no_coins(self) -> str:
        if self.desired.is_short:
            return f"The balance does not show all the {self.way.means} yet."
        if not self.fits(self.rest):
            return f"At its stop {self.rest} is worth less than the exchange takes."
        if not self.fits(self.cover):
            return f"Only {self.cover} may be {self.way.done}: the rest is locked by another order."
        return ""
