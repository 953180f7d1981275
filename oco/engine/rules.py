"""The few plans that a rule can answer with (pure).

What comes first: looking for what is lost, and bringing to an end what ends (rules 6, 8 and 10).

What is done when nothing of ours rests (rules 3, 4, 9 and 10).

What is done while some of our orders rest (rules 5, 7 and 8).

What to do about one group: the first rule of protection that applies (pure).

No clock, no database, no client. The order of `RULES` is the argument: look before acting, take away before
adding, and place only when nothing of ours rests.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from oco.engine.context import GroupContext
from oco.engine.pricing import Placement, PlacementKind, is_near_target, placement
from oco.engine.states import State
from oco.engine.types import (
    ZERO,
    Cancel,
    Desired,
    Leg,
    LegStatus,
    LookUp,
    Observed,
    OrderKind,
    Place,
    Plan,
    RequestPrice,
    Role,
)


def keep_waiting(ctx: GroupContext, reason: str) -> Plan:
    return Plan(state=ctx.unprotected_state, reason=reason)


def needs_attention(reason: str) -> Plan:
    """Nothing can be done by itself, and a person must know."""
    return Plan(state=State.STOP_FAILED, reason=reason)


def request_price(ctx: GroupContext, reason: str, *, since: datetime | None = None) -> Plan:
    """One more look at the market; when it is silent, wait where we are."""
    state = ctx.current_state if ctx.live_stops else ctx.unprotected_state
    if ctx.observed.market.is_unavailable:
        return Plan(state=state, reason=f"{reason} No price could be read.")
    return Plan(state=state, reason=reason, actions=(RequestPrice(since),))


def cancel(ctx: GroupContext, legs: Sequence[Leg], state: State, reason: str) -> Plan:
    """Rule 11: only what was read in this cycle, once a cycle; a market order ends by itself."""
    if not ctx.observed.can_remove or not all(leg.is_fresh for leg in legs):
        return Plan(
            state=ctx.current_state, reason=f"{reason} Not everything was read, so nothing is cancelled."
        )
    names = [
        leg.client_oid
        for leg in legs
        if leg.status is LegStatus.OPEN and leg.role is not Role.EXIT and not leg.cancel_sent_this_cycle
    ]
    return Plan(state=state, reason=reason, actions=(Cancel(tuple(names)),) if names else ())


def cancel_to_replace(ctx: GroupContext, reason: str) -> Plan:
    """Cancel what rests in order to place it anew, if that is possible at all."""
    if ctx.blocked_reason:
        return keep_waiting(ctx, f"{reason} {ctx.blocked_reason}")
    return cancel(ctx, ctx.live, ctx.replacing_state, reason)


def exit_at_market(ctx: GroupContext, reason: str) -> Plan:
    """Sell, or buy back, exactly what the lot may at the market, after everything of ours is gone (rule 9)."""
    blocked = ctx.exit_blocked_reason
    if blocked:
        return keep_waiting(ctx, f"{reason} {blocked}")
    if ctx.is_below_minimum:
        return needs_attention(f"{reason} At this price the lot is worth too little for an order.")
    if ctx.is_above_limit:
        return needs_attention(f"{reason} Nothing is bought above {ctx.max_buy_price}.")
    if ctx.live:
        return cancel(ctx, ctx.live, State.EXITING, reason)
    if any(leg.role is Role.EXIT and leg.sent_this_cycle for leg in ctx.newest):
        return keep_waiting(ctx, f"{reason} Tried again in the next cycle.")
    return place_order(ctx, OrderKind.EXIT, State.EXITING, reason, ctx.order_quantity)


def place_order(
    ctx: GroupContext,
    kind: OrderKind,
    state: State,
    reason: str,
    quantity: Decimal,
    stop: Decimal = ZERO,
    target: Decimal | None = None,
) -> Plan:
    """Place it. A sale is no replacement, so that the kill switch always binds it (rule 13)."""
    order = Place(
        kind=kind,
        quantity=quantity,
        stop=stop,
        target=target,
        max_buy_price=ctx.max_buy_price,
        generation=_next_generation(ctx, kind),
        bypass_kill_switch=ctx.bypasses_kill_switch and kind is not OrderKind.EXIT,
    )
    return Plan(state=state, reason=reason, actions=(order,))


def _next_generation(ctx: GroupContext, kind: OrderKind) -> int:
    """The last one again after what proved absent: a re-send keeps its names, so that 204 tells whether an
    order still lives that nobody could find (rule 6). A sale and a stop have no name in common.
    """
    if kind is OrderKind.STOP and ctx.lost_stop:
        return ctx.lost_stop.generation
    statuses = {leg.status for leg in ctx.newest}
    absent = LegStatus.ABSENT in statuses and statuses <= {LegStatus.ABSENT, LegStatus.REFUSED}
    same_purpose = (kind is OrderKind.EXIT) == any(leg.role is Role.EXIT for leg in ctx.newest)
    return ctx.newest[0].generation if absent and same_purpose else ctx.observed.generation + 1


def ended(ctx: GroupContext) -> Plan | None:
    """Stand-down: whatever comes to light behind a closed group is cancelled."""
    if not ctx.is_final:
        return None
    if not ctx.live:
        return Plan(state=ctx.observed.state, reason="")
    return cancel(ctx, ctx.live, ctx.observed.state, "An order came to light behind this ended group.")


def unknown(ctx: GroupContext) -> Plan | None:
    """Rule 6: a leg whose fate is not known is looked up; nothing else is done meanwhile.

    Where the group is to end, a leg that the exchange had acknowledged counts as unknown for longer: absent
    is enough to send it again under its name, and not enough to close behind it.
    """
    lost = ctx.unknown_legs or ctx.unresolved
    if not lost:
        return None
    names = tuple(leg.client_oid for leg in lost if not leg.looked_up_this_cycle)
    roles = " and the ".join(sorted({leg.role.lower().replace("_", " ") for leg in lost}))
    reason = f"It is not known whether the {roles} order exists."
    return Plan(state=State.UNKNOWN, reason=reason, actions=(LookUp(names),) if names else ())


def orphans(ctx: GroupContext) -> Plan | None:
    """An order of an earlier generation came to light: the newest stays."""
    newest = max((leg.generation for leg in ctx.live), default=0)
    old = [leg for leg in ctx.live if leg.generation < newest]
    return cancel(ctx, old, ctx.unprotected_state, "An earlier order came to light.") if old else None


def finished(ctx: GroupContext) -> Plan | None:
    """Nothing is left that an order could sell: close, once every leg has ended."""
    remaining = ctx.remaining
    if not ctx.is_depleted or (remaining and ctx.live):
        return None
    if ctx.live:
        return cancel(
            ctx,
            ctx.live,
            ctx.current_state,
            f"The lot is {ctx.exit_side.done}; what still rests is cancelled.",
        )
    state, words = ctx.closing_outcome
    return Plan(
        state=state, reason=f"{words} {remaining} stays: too little for an order." if remaining else words
    )


def release_requested(ctx: GroupContext) -> Plan | None:
    """A person released it, or it is merged: take everything away, then end."""
    if not ctx.desired.release_reason or ctx.live_exits:
        return None
    if ctx.live:
        return cancel(ctx, ctx.live, ctx.replacing_state, ctx.desired.release_reason)
    return Plan(state=State.RELEASED, reason=ctx.desired.release_reason)


def exiting(ctx: GroupContext) -> Plan | None:
    """A sale at the market is on its way; it ends by itself."""
    if not ctx.live_exits:
        return None
    return Plan(state=State.EXITING, reason=f"The {ctx.exit_side.order} at the market has not ended yet.")


def stop_filling(ctx: GroupContext) -> Plan | None:
    """A triggered stop is left to sell; what it leaves when it ends is sold at once (rule 8)."""
    stop = ctx.newest_stop
    if stop is None or not stop.executed:
        return None
    if stop.is_live:
        return Plan(state=ctx.current_state, reason=f"The stop is {ctx.exit_side.doing}.")
    if not stop.remaining:
        return None
    return exit_at_market(
        ctx, f"The stop {ctx.exit_side.done} {stop.executed} of {stop.quantity} and ended {stop.end_status}."
    )


# Who refuses a pair for one of these refuses a stop as well: never sent, funds, rate, key (dossier 3).
CODES_THAT_REFUSE_STOPS_TOO = frozenset({None, 306, 42901, 40101, 40102, 40103, 40104})


def cancelled_manually(ctx: GroupContext) -> Plan | None:
    """Rule 10: both legs cancelled, not by us, nothing executed, and mark did not touch the stop."""
    if not ctx.was_cancelled_manually or not ctx.desired.respects_manual_cancel:
        return None
    market = ctx.observed.market
    if ctx.mark is None or not market.worst_mark_read:
        since = ctx.observed.last_active_at or ctx.desired.entered_at or ctx.observed.cycle_started
        return request_price(ctx, "The orders were cancelled.", since=since)
    if market.worst_mark is None or ctx.is_stop_reached(
        ctx.exit_side.worst_price((market.worst_mark, ctx.mark))
    ):
        return None
    return Plan(state=State.RELEASED, reason="The orders were cancelled by hand on the exchange.")


def place_protection(ctx: GroupContext) -> Plan:
    """Nothing of ours rests: put up what the market has room for (rules 3, 4 and 7)."""
    refused = [leg for leg in ctx.newest if leg.was_rejected and leg.sent_this_cycle]
    if ctx.blocked_reason:
        return keep_waiting(ctx, ctx.blocked_reason)
    if refused and not _may_place_stop_only(refused):
        return keep_waiting(ctx, "Refused. It is tried again in the next cycle.")
    if ctx.mark is None:
        return request_price(ctx, f"No order {ctx.exit_side.serves}.")
    found = feasible_placement(ctx, stop_only=bool(refused) or ctx.lost_stop is not None)
    if found.kind is PlacementKind.STOP_CROSSED:
        return stop_crossed(ctx)
    if found.kind is PlacementKind.NONE:
        return keep_waiting(ctx, found.reason)
    kind = OrderKind.PAIR if found.kind is PlacementKind.PAIR else OrderKind.STOP
    why = "The exchange refused the pair: the stop goes alone." if refused else found.reason
    why = "Nobody can find its stop: it is sent again under its name." if ctx.lost_stop else why
    return place_order(
        ctx,
        kind,
        ctx.unprotected_state,
        why or f"No order {ctx.exit_side.serves}.",
        found.quantity,
        found.stop,
        found.target,
    )


def stop_crossed(ctx: GroupContext) -> Plan:
    """Rule 9: sold at the market only soon after the entry or after cover, and when two looks agree."""
    if not ctx.desired.exits_on_breach:
        return needs_attention(f"Mark is beyond the stop, and by the policy nothing is {ctx.exit_side.done}.")
    if not ctx.is_within_exit_window:
        return needs_attention(
            f"Mark is beyond the stop, and was out of our sight for too long: nothing is {ctx.exit_side.done}."
        )
    if len(ctx.samples) < 2:
        return request_price(ctx, "Mark is beyond the stop.")
    if not all(ctx.is_past_stop(sample) for sample in ctx.samples[-2:]):
        return keep_waiting(
            ctx,
            f"Mark is beyond the stop, but mark and best {ctx.exit_side.meets} do not agree in two looks.",
        )
    return exit_at_market(ctx, f"Mark and best {ctx.exit_side.meets} are beyond the stop.")


def feasible_placement(ctx: GroupContext, *, stop_only: bool = False) -> Placement:
    """What the market has room for; `alone` leaves the target out."""
    desired = ctx.desired
    return placement(
        quantity=ctx.order_quantity,
        stop=desired.stop,
        target=None if stop_only else desired.target,
        mark=ctx.mark or desired.stop,
        distance_pct=desired.distance_pct,
        grid=desired.grid,
        exit_side=desired.exit_side,
    )


def _may_place_stop_only(refused: list[Leg]) -> bool:
    """Rule 4: the exchange refused a pair for a reason that does not hold for a stop alone."""
    pair = any(leg.role is Role.TAKE_PROFIT for leg in refused)
    return pair and not any(leg.refused_code in CODES_THAT_REFUSE_STOPS_TOO for leg in refused)


NOT_READ_BACK = "Accepted, but not read back open yet."


def target_partly_filled(ctx: GroupContext) -> Plan | None:
    """Rule 8: the target filled in part, for which the exchange kills the stop."""
    target = ctx.newest_target
    if target is None or not target.is_live or not target.executed:
        return None
    filled = f"The target {ctx.exit_side.done} {target.executed} of {target.quantity}"
    if not ctx.can_place(ctx.order_quantity):
        return Plan(
            state=ctx.unprotected_state, reason=f"{filled}. The rest is too little for a stop: it works on."
        )
    if ctx.mark is None:
        return request_price(ctx, f"{filled}.")
    if ctx.is_stop_reached(ctx.mark):
        return stop_crossed(ctx)
    if _may_keep_working(ctx, target):
        return Plan(
            state=ctx.unprotected_state, reason=f"{filled} and is near: it works one more cycle.", grace=True
        )
    return cancel_to_replace(ctx, f"{filled}. It is cancelled to protect the rest again.")


def _may_keep_working(ctx: GroupContext, target: Leg) -> bool:
    near = ctx.mark is not None and is_near_target(
        ctx.mark, target.price, ctx.desired.distance_pct, ctx.exit_side
    )
    return near and not ctx.live_stops and not ctx.is_grace_over


def covered(ctx: GroupContext) -> Plan | None:
    """Rule 5: a stop read back open, alone or with its target, for what the lot may sell."""
    if not ctx.live_stops:
        return None
    if ctx.accepted_legs:
        return Plan(state=ctx.unprotected_state, reason=NOT_READ_BACK)
    return resized(ctx) or restore_take_profit(ctx) or Plan(state=State.ACTIVE, reason=_coverage_text(ctx))


def _coverage_text(ctx: GroupContext) -> str:
    if ctx.live_targets:
        return "Stop and target were read back open."
    return "The stop was read back open. It stands alone."


def resized(ctx: GroupContext) -> Plan | None:
    """The lot may sell less than rests, or more: replaced, but not on the word of one read (rule 10)."""
    resting, required = ctx.live_stops[0].remaining, ctx.order_quantity
    if required == resting or ctx.desired.has_shortfall or not ctx.desired.is_confirmed:
        return None
    if not ctx.can_place(required):
        return cancel(
            ctx,
            ctx.live,
            ctx.replacing_state,
            f"Only {required} may be {ctx.exit_side.done}: too little for an order.",
        )
    if required > resting and ctx.blocked_reason:
        return None
    if ctx.mark is None:
        return request_price(ctx, f"{resting} is covered, {required} may be {ctx.exit_side.done}.")
    if ctx.is_stop_reached(ctx.mark):
        return None
    return cancel(
        ctx,
        ctx.live,
        ctx.replacing_state,
        f"{resting} is covered, {required} may be {ctx.exit_side.done}: it is replaced.",
    )


def restore_take_profit(ctx: GroupContext) -> Plan | None:
    """Rule 7: a target cancelled by hand is put back, a cycle later and where a pair has room.

    One that the exchange itself ended or refused is not: then the stop stands alone (rule 4).
    """
    target, stop = ctx.newest_target, ctx.live_stops[0]
    if (
        target is None
        or target.end_status != "CANCELED"
        or target.executed
        or stop.executed
        or ctx.blocked_reason
    ):
        return None
    if not ctx.is_grace_over:
        return Plan(state=State.ACTIVE, reason="The target was cancelled. The stop stands.", grace=True)
    if ctx.mark is None:
        return request_price(ctx, "The target was cancelled. The stop stands.")
    if feasible_placement(ctx).kind is not PlacementKind.PAIR:
        return None
    return cancel(ctx, ctx.live, ctx.replacing_state, "The target was cancelled: the pair is replaced.")


def target_without_stop(ctx: GroupContext) -> Plan | None:
    """Rule 7: the stop is gone while the target rests: it has to go before both come back."""
    if not ctx.live_targets:
        return None
    if ctx.accepted_legs:
        return Plan(state=ctx.unprotected_state, reason=NOT_READ_BACK)
    if ctx.mark is None:
        return request_price(ctx, "The stop is gone.")
    if ctx.is_stop_reached(ctx.mark):
        return stop_crossed(ctx)
    return cancel_to_replace(ctx, "The stop is gone: the target is cancelled to place both again.")


Rule = Callable[[GroupContext], Plan | None]

RULES: tuple[Rule, ...] = (
    ended,
    unknown,
    orphans,
    finished,
    release_requested,
    exiting,
    stop_filling,
    target_partly_filled,
    covered,
    target_without_stop,
    cancelled_manually,
)


def decide(desired: Desired, observed: Observed) -> Plan:
    """The plan for one group. A group that has ended only loses what still rests."""
    ctx = GroupContext(desired, observed)
    plans = (rule(ctx) for rule in RULES)
    return next((plan for plan in plans if plan is not None), None) or place_protection(ctx)
