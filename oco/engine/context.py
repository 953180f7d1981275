"""One group as the rules see it: the facts they need, computed once (pure)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from exchange.core.reasons import Reason, reason
from oco.engine.pricing import (
    BestPrices,
    ExitSide,
    Opening,
    is_placeable,
    max_buy_price_of,
    round_to_lot_size,
    stop_within_spread,
)
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import FINAL, State
from oco.engine.types import LIVE, ZERO, Desired, Leg, LegStatus, Observed, OrderKind, PriceSample, Role

MAX_SAMPLE_AGE = timedelta(seconds=5)
EXIT_WINDOW = timedelta(minutes=15)
MAX_FAILURES = 3
MIN_PAIR_WAIT = timedelta(seconds=90)  # after a refused pair; then as long as all waits before together
CLOSED_BY = {
    Role.STOP_LOSS: (State.CLOSED_BY_STOP, ReasonCode.CLOSED_BY_STOP),
    Role.TAKE_PROFIT: (State.CLOSED_BY_TARGET, ReasonCode.CLOSED_BY_TARGET),
    Role.EXIT: (State.CLOSED_BY_EXIT, ReasonCode.CLOSED_BY_EXIT),
}
CLOSED_OUTSIDE = (State.CLOSED_BY_HAND, ReasonCode.CLOSED_OUTSIDE)
ROLES_BY_KIND = {
    OrderKind.PAIR: (Role.STOP_LOSS, Role.TAKE_PROFIT),
    OrderKind.STOP: (Role.STOP_LOSS,),
    OrderKind.EXIT: (Role.EXIT,),
}


@dataclass(eq=False)
class GroupContext:
    """Desired and observed state of a group, and the facts that the rules need, computed once."""

    desired: Desired
    observed: Observed
    live: list[Leg] = field(init=False)
    live_stops: list[Leg] = field(init=False)
    live_targets: list[Leg] = field(init=False)
    live_exits: list[Leg] = field(init=False)
    accepted_legs: list[Leg] = field(init=False)
    unknown_legs: list[Leg] = field(init=False)
    newest: list[Leg] = field(init=False)  # the legs of the last generation
    newest_stop: Leg | None = field(init=False)
    newest_target: Leg | None = field(init=False)
    remaining: Decimal = field(init=False)  # open quantity of the lot, rounded to lot size
    order_quantity: Decimal = field(init=False)  # the part that may be sold now, rounded to lot size
    is_remaining_placeable: bool = field(init=False)
    is_depleted: bool = field(init=False)
    is_final: bool = field(init=False)
    unresolved: list[Leg] = field(init=False)  # legs that may still appear although the group is about to end

    def __post_init__(self) -> None:
        legs, desired, tick = self.observed.legs, self.desired, self.desired.grid.quantity_tick
        self.live = [leg for leg in legs if leg.status in LIVE]
        self.live_stops = [leg for leg in self.live if leg.role is Role.STOP_LOSS]
        self.live_targets = [leg for leg in self.live if leg.role is Role.TAKE_PROFIT]
        self.live_exits = [leg for leg in self.live if leg.role is Role.EXIT]
        self.accepted_legs = [leg for leg in legs if leg.status is LegStatus.ACCEPTED]
        self.unknown_legs = [leg for leg in legs if leg.status is LegStatus.UNKNOWN]
        last = max((leg.generation for leg in legs), default=0)
        self.newest = [leg for leg in legs if leg.generation == last]
        self.newest_stop = next((leg for leg in self.newest if leg.role is Role.STOP_LOSS), None)
        self.newest_target = next((leg for leg in self.newest if leg.role is Role.TAKE_PROFIT), None)
        self.remaining = round_to_lot_size(desired.owned, tick)
        self.order_quantity = round_to_lot_size(desired.order_quantity, tick)
        self.is_remaining_placeable = is_placeable(self.remaining, desired.stop, desired.grid)
        # An untouched lot that lost value may regain it.
        self.is_depleted = not self.is_remaining_placeable and not (desired.owned and desired.is_untouched)
        self.is_final = self.observed.state in FINAL
        ends = desired.release_reason or self.is_depleted
        self.unresolved = [leg for leg in legs if leg.is_unresolved] if ends else []

    @property
    def rests_for_owned(self) -> bool:
        """Whether a live order is for no more than what the lot owns."""
        return any(ZERO < leg.remaining <= self.desired.owned for leg in self.live)

    @property
    def exit_side(self) -> ExitSide:
        return self.desired.exit_side

    @cached_property
    def max_buy_price(self) -> Decimal | None:
        """The highest price paid for a coin; None when the orders sell."""
        if self.exit_side is ExitSide.SELL:
            return None
        return max_buy_price_of(self.desired.stop, self.desired.grid.price_tick)

    @property
    def is_above_limit(self) -> bool:
        return self.max_buy_price is not None and self.mark is not None and self.mark > self.max_buy_price

    @property
    def is_below_minimum(self) -> bool:
        """Whether a market order would be below the exchange minimum; False while no price is known."""
        return self.mark is not None and not is_placeable(self.order_quantity, self.mark, self.desired.grid)

    def can_place(self, quantity: Decimal) -> bool:
        return is_placeable(quantity, self.desired.stop, self.desired.grid)

    def is_stop_reached(self, price: Decimal) -> bool:
        return self.exit_side.stop_reached(price, self.desired.stop)

    @cached_property
    def lost_stop(self) -> Leg | None:
        """A stop of the newest pair that the exchange acknowledged but that cannot be found, while its target
        ended without a fill. It may still be live, because nothing ended it.
        """
        stop, target = self.newest_stop, self.newest_target
        if stop is None or target is None or not stop.is_unresolved:
            return None
        return stop if target.status is LegStatus.ENDED and not target.executed else None

    @property
    def may_be_gone(self) -> bool:
        """Whether the coins may have left the account; a second read will show it (rule 10)."""
        return self.desired.has_shortfall or self.observed.is_spent_lately

    @property
    def is_pair_due(self) -> bool:
        """Whether it is time to try a pair instead of the stop that rests alone."""
        if self.live_stops[0].sent_this_cycle:
            return False
        targets = (leg for leg in self.observed.legs if leg.role is Role.TAKE_PROFIT and leg.was_rejected)
        refused_at = max((leg.sent_at for leg in targets if leg.sent_at), default=None)
        if refused_at is None:
            return True
        waited = refused_at - (self.observed.opened_at or refused_at)
        return self._since(refused_at) >= max(waited, MIN_PAIR_WAIT)

    # state of the group

    @cached_property
    def unprotected_state(self) -> State:
        """The state while no coverage is observed; STOP_FAILED lasts until it is (rule 7)."""
        state = self.observed.state
        if state is State.STOP_FAILED or self.observed.failures >= MAX_FAILURES:
            return State.STOP_FAILED
        fresh = state is State.UNKNOWN and self.observed.last_active_at is None
        return State.PENDING if fresh or state is State.PENDING else State.REPLACING

    @property
    def current_state(self) -> State:
        return self.unprotected_state if self.observed.state is State.UNKNOWN else self.observed.state

    @property
    def replacing_state(self) -> State:
        return State.STOP_FAILED if self.unprotected_state is State.STOP_FAILED else State.REPLACING

    @property
    def closing_outcome(self) -> tuple[State, Reason]:
        """How the lot ended, and why: by the last of our orders that executed, the stop before its sibling."""
        sold = [leg for leg in self.observed.legs if leg.executed]
        last = max(sold, key=lambda leg: (leg.generation, leg.role is Role.STOP_LOSS), default=None)
        state, code = CLOSED_BY[last.role] if last else CLOSED_OUTSIDE
        return state, reason(code, side=self.exit_side)

    @property
    def bypasses_kill_switch(self) -> bool:
        """Whether our own cancel removed the last coverage (rule 13)."""
        real = [leg for leg in self.observed.legs if leg.status is LegStatus.ENDED]
        last = max((leg.generation for leg in real), default=0)
        return self.observed.replacement_begun or any(
            leg.cancelled_by_us for leg in real if leg.generation == last
        )

    @property
    def is_grace_over(self) -> bool:
        given = self.observed.grace_at
        return given is not None and given < self.observed.cycle_started

    @property
    def was_cancelled_manually(self) -> bool:
        """Both legs cancelled without a fill, not by us; at least one without a reason code of the exchange."""
        return (
            bool(self.newest)
            and all(
                leg.end_status == "CANCELED" and not leg.executed and not leg.cancelled_by_us
                for leg in self.newest
            )
            and any(not leg.end_code for leg in self.newest)
        )

    # the market

    @cached_property
    def samples(self) -> list[PriceSample]:
        return [
            sample
            for sample in self.observed.market.samples
            if self.observed.now - sample.at <= MAX_SAMPLE_AGE
        ]

    @cached_property
    def mark(self) -> Decimal | None:
        return self.samples[-1].mark if self.samples else None

    @property
    def is_within_exit_window(self) -> bool:
        """Whether the entry filled, or coverage was seen, recently enough for an exit at market (rule 9)."""
        moments = (self.desired.entered_at, self.observed.last_active_at)
        is_exiting = self.observed.state is State.EXITING
        return is_exiting or any(moment and self._since(moment) <= EXIT_WINDOW for moment in moments)

    def _since(self, moment: datetime) -> timedelta:
        return self.observed.now - moment

    def is_past_stop(self, sample: PriceSample) -> bool:
        """Mark, the exchange's published mark and the best price are all at the stop or past it, and the price moved
        there: neither rounding nor a wide spread looks like that (rule 9).
        """
        if sample.bid is None or sample.ask is None:
            return False
        best = self.best_prices(sample)
        if sample.published is None:
            return False
        prices = (sample.mark, sample.published, best.near)
        return all(self.is_stop_reached(price) for price in prices) and self._has_moved(best)

    def best_prices(self, sample: PriceSample) -> BestPrices:
        return BestPrices.of(sample.bid, sample.ask, sample.mark, self.exit_side)

    def _has_moved(self, best: BestPrices) -> bool:
        desired = self.desired
        return best.has_moved(entry=desired.entry, stop=desired.stop, tick=desired.grid.price_tick)

    @property
    def within_spread_reason(self) -> Reason | None:
        """Why mark is at the stop although the price did not move there; None if it did, or without bid and ask."""
        sample = self.samples[-1] if self.samples else None
        if sample is None or sample.bid is None or sample.ask is None:
            return None
        best = self.best_prices(sample)
        if self._has_moved(best):
            return None
        return stop_within_spread(best, self.desired.stop, self.desired.grid.price_tick)

    @property
    def opening(self) -> Opening | None:
        """For a group that was never covered: what its stop has to keep clear of (rule 3)."""
        if self.observed.last_active_at is not None or not self.samples:
            return None
        return Opening(best=self.best_prices(self.samples[-1]), entry=self.desired.entry)

    # reasons not to place

    @cached_property
    def blocked_reason(self) -> Reason | None:
        """Why nothing may be placed now, or None (rules 10, 11, 13)."""
        if not self.observed.can_add:
            return reason(ReasonCode.DATA_MISSING_NO_ORDER)
        if self.observed.no_create and not self.bypasses_kill_switch:
            return self.observed.no_create
        return self.quantity_blocked_reason

    @property
    def exit_blocked_reason(self) -> Reason | None:
        """Why no market order may be placed, or None. The kill switch always blocks it."""
        if self.observed.no_create:
            return self.observed.no_create
        return self.blocked_reason

    @cached_property
    def quantity_blocked_reason(self) -> Reason | None:
        if self.desired.has_shortfall:
            return reason(ReasonCode.BALANCE_SHORT, side=self.exit_side)
        if not self.is_remaining_placeable:
            return reason(ReasonCode.WORTH_TOO_LITTLE_AT_STOP, quantity=self.remaining)
        if not self.can_place(self.order_quantity):
            return reason(ReasonCode.REST_RESERVED, side=self.exit_side, quantity=self.order_quantity)
        return None
