"""What to do about one group: the first protection rule that applies (pure).

No clock, no database, no client. The order of `RULES` matters: look up before acting, cancel before placing,
and place only when none of our orders is open.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from exchange.client.error_codes import ABOUT_INSTRUMENT, KEY_CODES
from exchange.core.reasons import Reason, reason
from oco.engine.context import GroupContext
from oco.engine.plans import (
    cancel,
    cancel_to_replace,
    code_of,
    keep_waiting,
    needs_attention,
    place_order,
    refusal,
    request_price,
    wait_for_retry,
)
from oco.engine.pricing import Placement, PlacementKind, is_near_target, placement
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State
from oco.engine.types import (
    ConfirmEntry,
    Desired,
    Leg,
    LookUp,
    Observed,
    OrderKind,
    Plan,
    ReadInstrument,
    Role,
)

# An exchange that refuses a pair for one of these refuses a stop too: not sent, funds, rate, key (dossier 3).
CODES_THAT_REFUSE_STOPS_TOO = KEY_CODES | {None, 306, 40102, 42901}

Rule = Callable[[GroupContext], Plan | None]


def decide(desired: Desired, observed: Observed) -> Plan:
    """The plan for one group. For a closed group only open orders are cancelled."""
    ctx = GroupContext(desired, observed)
    plans = (rule(ctx) for rule in RULES)
    return next((plan for plan in plans if plan is not None), None) or place_protection(ctx)


# Look up lost orders, close ended groups (rules 6, 8 and 10)


def ended(ctx: GroupContext) -> Plan | None:
    """An order found behind a closed group is cancelled."""
    if not ctx.is_final:
        return None
    if not ctx.live:
        return Plan(state=ctx.observed.state, reason=None)
    return cancel(ctx, ctx.live, ctx.observed.state, reason(ReasonCode.ORDER_OF_CLOSED_GROUP))


def unknown(ctx: GroupContext) -> Plan | None:
    """Rule 6: an unresolved leg is looked up; nothing else is done meanwhile.

    When the group is about to end, a leg that the exchange acknowledged stays unknown for longer: absent is
    enough to send it again under its `client_oid`, but not enough to close the group.
    """
    lost = ctx.unknown_legs or ctx.unresolved
    if not lost:
        return None
    client_oids = tuple(leg.client_oid for leg in lost if not leg.looked_up_this_cycle)
    actions = (LookUp(client_oids),) if client_oids else ()
    return Plan(state=State.UNKNOWN, reason=_unknown_reason({leg.role for leg in lost}), actions=actions)


def _unknown_reason(roles: set[Role]) -> Reason:
    if len(roles) == 1:
        return reason(ReasonCode.ORDER_UNKNOWN, role=next(iter(roles)))
    is_pair = roles == {Role.STOP_LOSS, Role.TAKE_PROFIT}
    return reason(ReasonCode.PAIR_UNKNOWN if is_pair else ReasonCode.ORDERS_UNKNOWN)


def cancel_earlier_generations(ctx: GroupContext) -> Plan | None:
    """An order of an earlier generation was found: the newest stays."""
    newest = max((leg.generation for leg in ctx.live), default=0)
    old = [leg for leg in ctx.live if leg.generation < newest]
    return cancel(ctx, old, ctx.unprotected_state, reason(ReasonCode.EARLIER_ORDER_FOUND)) if old else None


def finished(ctx: GroupContext) -> Plan | None:
    """Nothing remains to sell: close, once every leg has ended.

    A larger lot size may round to nothing what is still owned: the orders that rest for it stay.
    """
    remaining = ctx.remaining
    if not ctx.is_depleted or (ctx.live and (remaining or ctx.rests_for_owned)):
        return None
    if ctx.live:
        why = reason(ReasonCode.CLOSED_CANCELLING, side=ctx.exit_side)
        return cancel(ctx, ctx.live, ctx.current_state, why)
    state, why = ctx.closing_outcome
    return Plan(
        state=state, reason=why + reason(ReasonCode.REMAINDER, quantity=remaining) if remaining else why
    )


def release_requested(ctx: GroupContext) -> Plan | None:
    """A user requested removal, or the lot is merged: cancel everything, then close.

    Coins that a person sold meanwhile are not released: a second read shows whether they are gone (rule 10).
    """
    if not ctx.desired.release_reason or ctx.live_exits:
        return None
    if ctx.live:
        return cancel(ctx, ctx.live, ctx.replacing_state, ctx.desired.release_reason)
    if ctx.may_be_gone and not ctx.desired.is_merging:
        return keep_waiting(
            ctx, ctx.desired.release_reason + reason(ReasonCode.BALANCE_SHORT, side=ctx.exit_side)
        )
    return Plan(state=State.RELEASED, reason=ctx.desired.release_reason)


def exiting(ctx: GroupContext) -> Plan | None:
    """A market order was sent; it ends without further action."""
    if not ctx.live_exits:
        return None
    return Plan(state=State.EXITING, reason=reason(ReasonCode.EXIT_NOT_FINISHED, side=ctx.exit_side))


def stop_filling(ctx: GroupContext) -> Plan | None:
    """A triggered stop is left to fill; a remainder when it ends is sold at once (rule 8)."""
    stop = ctx.newest_stop
    if stop is None or not stop.executed:
        return None
    if stop.is_live:
        return Plan(state=ctx.current_state, reason=reason(ReasonCode.STOP_FILLING, side=ctx.exit_side))
    if not stop.remaining:
        return None
    why = reason(
        ReasonCode.STOP_PARTLY_FILLED,
        exchange_code=stop.end_code or None,
        side=ctx.exit_side,
        filled=stop.executed,
        quantity=stop.quantity,
        status=stop.end_status,
    )
    return exit_at_market(ctx, why)


# While some of our orders are open (rules 5, 7 and 8)


def target_partly_filled(ctx: GroupContext) -> Plan | None:
    """Rule 8: the target filled in part, for which the exchange cancels the stop."""
    target = ctx.newest_target
    if target is None or not target.is_live or not target.executed:
        return None
    filled = reason(
        ReasonCode.TARGET_PARTLY_FILLED,
        side=ctx.exit_side,
        filled=target.executed,
        quantity=target.quantity,
    )
    if not ctx.can_place(ctx.order_quantity):
        return Plan(state=ctx.unprotected_state, reason=filled + reason(ReasonCode.REST_TOO_SMALL_FOR_STOP))
    if ctx.mark is None:
        return request_price(ctx, filled)
    if ctx.is_stop_reached(ctx.mark):
        return stop_crossed(ctx)
    if _may_stay_active(ctx, target):
        why = filled + reason(ReasonCode.TARGET_STAYS_ACTIVE)
        return Plan(state=ctx.unprotected_state, reason=why, grace=True)
    return cancel_to_replace(ctx, filled + reason(ReasonCode.CANCELLING_TARGET))


def _may_stay_active(ctx: GroupContext, target: Leg) -> bool:
    near = ctx.mark is not None and is_near_target(
        ctx.mark, target.price, ctx.desired.distance_pct, ctx.exit_side
    )
    return near and not ctx.live_stops and not ctx.is_grace_over


def covered(ctx: GroupContext) -> Plan | None:
    """Rule 5: a stop read back open, with or without its target, for the quantity that the lot may sell."""
    if not ctx.live_stops:
        return None
    if ctx.accepted_legs:
        return Plan(state=ctx.unprotected_state, reason=reason(ReasonCode.NOT_CONFIRMED_OPEN))
    has_target = bool(ctx.live_targets)
    code = ReasonCode.CONFIRMED_OPEN if has_target else ReasonCode.STOP_CONFIRMED_OPEN
    return resized(ctx) or restore_take_profit(ctx) or Plan(state=State.ACTIVE, reason=reason(code))


def resized(ctx: GroupContext) -> Plan | None:
    """The lot may sell less or more than its orders cover: replace, but not after one read only (rule 10)."""
    resting, required = ctx.live_stops[0].remaining, ctx.order_quantity
    if required == resting or ctx.desired.has_shortfall or not ctx.desired.is_confirmed:
        return None
    if required == ctx.remaining < resting <= ctx.desired.owned:
        return None  # placed before the lot size grew
    if not ctx.can_place(required):
        why = reason(ReasonCode.QUANTITY_TOO_SMALL, side=ctx.exit_side, quantity=required)
        return cancel(ctx, ctx.live, ctx.replacing_state, why)
    if required > resting and ctx.blocked_reason:
        return None
    if ctx.mark is None:
        return request_price(ctx, _cover_reason(ctx, ReasonCode.COVER_DIFFERS))
    if feasible_placement(ctx).kind not in (PlacementKind.PAIR, PlacementKind.STOP):
        return None
    why = _cover_reason(ctx, ReasonCode.COVER_DIFFERS_REPLACING)
    return cancel(ctx, ctx.live, ctx.replacing_state, why)


def _cover_reason(ctx: GroupContext, code: ReasonCode) -> Reason:
    resting = ctx.live_stops[0].remaining
    return reason(code, side=ctx.exit_side, covered=resting, quantity=ctx.order_quantity)


def restore_take_profit(ctx: GroupContext) -> Plan | None:
    """Rules 4 and 7: a stop that is open alone becomes a pair again, if the market allows one.

    A manually cancelled target is placed again one cycle later. After a pair that the exchange refused, the waits
    double: the stop is gone for a moment each time.
    """
    target, stop = ctx.newest_target, ctx.live_stops[0]
    is_alone = ctx.desired.target is not None and not ctx.live_targets
    if not is_alone or stop.executed or (target and target.executed) or ctx.blocked_reason:
        return None
    if target is not None and target.end_status == "CANCELED":
        why = reason(ReasonCode.TARGET_CANCELLED) + reason(ReasonCode.STOP_STILL_OPEN)
        replacing = reason(ReasonCode.TARGET_CANCELLED_REPLACING)
        if not ctx.is_grace_over:
            return Plan(state=State.ACTIVE, reason=why, grace=True)
    else:
        why, replacing = reason(ReasonCode.PAIR_POSSIBLE), reason(ReasonCode.PAIR_POSSIBLE_REPLACING)
        if not ctx.is_pair_due or not _allows_pair(ctx, ctx.observed.last_price):
            return None
    if ctx.mark is None:
        return request_price(ctx, why)
    if not _allows_pair(ctx, ctx.mark):
        return None
    return cancel(ctx, ctx.live, ctx.replacing_state, replacing)


def _allows_pair(ctx: GroupContext, price: Decimal | None) -> bool:
    """Whether a pair could be placed at this price; an unknown one forbids nothing."""
    return price is None or feasible_placement(ctx, price=price).kind is PlacementKind.PAIR


def target_without_stop(ctx: GroupContext) -> Plan | None:
    """Rule 7: the stop is gone while the target is open: cancel the target, then place both again."""
    if not ctx.live_targets:
        return None
    if ctx.accepted_legs:
        return Plan(state=ctx.unprotected_state, reason=reason(ReasonCode.NOT_CONFIRMED_OPEN))
    if ctx.mark is None:
        return request_price(ctx, reason(ReasonCode.STOP_GONE))
    if ctx.is_stop_reached(ctx.mark):
        return stop_crossed(ctx)
    return cancel_to_replace(ctx, reason(ReasonCode.STOP_GONE_REPLACING))


# When none of our orders is open (rules 3, 4, 7, 9 and 10)


def cancelled_manually(ctx: GroupContext) -> Plan | None:
    """Rule 10: both legs cancelled, not by us, nothing executed, and mark did not touch the stop.

    Coins that were sold as well close the group by hand, once a second read shows that they are gone.
    """
    if not ctx.was_cancelled_manually or not ctx.desired.respects_manual_cancel:
        return None
    if ctx.may_be_gone:
        return keep_waiting(ctx, reason(ReasonCode.BALANCE_SHORT, side=ctx.exit_side))
    market = ctx.observed.market
    if ctx.mark is None or not market.worst_mark_read:
        since = ctx.observed.last_active_at or ctx.desired.entered_at or ctx.observed.cycle_started
        return request_price(ctx, reason(ReasonCode.ORDERS_CANCELLED), since=since)
    if market.worst_mark is None or ctx.is_stop_reached(
        ctx.exit_side.worst_price((market.worst_mark, ctx.mark))
    ):
        return None
    return Plan(state=State.RELEASED, reason=reason(ReasonCode.CANCELLED_MANUALLY))


def place_protection(ctx: GroupContext) -> Plan:
    """Place what the market allows (rules 3, 4 and 7)."""
    refused = [leg for leg in ctx.newest if leg.was_rejected and leg.sent_this_cycle]
    if ctx.blocked_reason:
        return keep_waiting(ctx, ctx.blocked_reason)
    if _is_about_instrument(ctx, refused):
        return Plan(state=ctx.unprotected_state, reason=refusal(refused), actions=(ReadInstrument(),))
    if refused and not _may_place_stop_only(refused):
        return wait_for_retry(ctx, refused)
    no_order = reason(ReasonCode.NO_ORDER, exchange_code=code_of(ctx.newest), side=ctx.exit_side)
    if ctx.mark is None:
        return request_price(ctx, no_order)
    found = feasible_placement(ctx, stop_only=bool(refused) or ctx.lost_stop is not None)
    if found.kind is PlacementKind.STOP_CROSSED:
        return stop_crossed(ctx)
    if found.kind is PlacementKind.TOO_CLOSE:
        return needs_attention(found.reason or no_order)
    if found.kind is PlacementKind.NONE:
        return keep_waiting(ctx, found.reason or no_order)
    kind = OrderKind.PAIR if found.kind is PlacementKind.PAIR else OrderKind.STOP
    why = found.reason
    if refused:
        why = reason(ReasonCode.PAIR_REFUSED_STOP_ONLY, exchange_code=code_of(refused))
    if ctx.lost_stop:
        why = reason(ReasonCode.STOP_LOST_RESENT)
    return place_order(
        ctx, kind, ctx.unprotected_state, why or no_order, found.quantity, found.stop, found.target
    )


def _is_about_instrument(ctx: GroupContext, refused: Sequence[Leg]) -> bool:
    """Whether the rules of the instrument are to be read again before anything else is tried, once a cycle."""
    return not ctx.observed.instrument_read and any(leg.refused_code in ABOUT_INSTRUMENT for leg in refused)


def _may_place_stop_only(refused: list[Leg]) -> bool:
    """Rule 4: the exchange refused a pair for a reason that does not apply to a stop only."""
    pair = any(leg.role is Role.TAKE_PROFIT for leg in refused)
    return pair and not any(leg.refused_code in CODES_THAT_REFUSE_STOPS_TOO for leg in refused)


def stop_crossed(ctx: GroupContext) -> Plan:
    """Rule 9: exit at market only soon after the entry or after coverage, when two samples agree that the price
    moved, and two answers on what was bought.
    """
    side = ctx.exit_side
    if ctx.within_spread_reason:
        return needs_attention(ctx.within_spread_reason)
    if not ctx.desired.exits_when_stop_crossed:
        return needs_attention(reason(ReasonCode.STOP_CROSSED_BY_POLICY, side=side))
    if not ctx.is_within_exit_window:
        return needs_attention(reason(ReasonCode.STOP_CROSSED_TOO_LONG, side=side))
    if len(ctx.samples) < 2:
        return request_price(ctx, reason(ReasonCode.STOP_CROSSED))
    if not all(ctx.is_past_stop(sample) for sample in ctx.samples[-2:]):
        return keep_waiting(ctx, reason(ReasonCode.STOP_CROSSED_UNCERTAIN, side=side))
    if ctx.observed.is_entry_confirmed is None:
        return Plan(
            state=ctx.unprotected_state, reason=reason(ReasonCode.STOP_CROSSED), actions=(ConfirmEntry(),)
        )
    if not ctx.observed.is_entry_confirmed:
        return keep_waiting(ctx, reason(ReasonCode.ENTRY_NOT_CONFIRMED, side=side))
    return exit_at_market(ctx, reason(ReasonCode.STOP_CROSSED_CONFIRMED, side=side))


def exit_at_market(ctx: GroupContext, why: Reason) -> Plan:
    """Sell, or buy back, exactly the allowed quantity at market, after all our orders are cancelled (rule 9)."""
    blocked = ctx.exit_blocked_reason
    if blocked:
        return keep_waiting(ctx, why + blocked)
    if ctx.is_below_minimum:
        return needs_attention(why + reason(ReasonCode.WORTH_TOO_LITTLE_NOW))
    if ctx.is_above_limit:
        return needs_attention(why + reason(ReasonCode.ABOVE_PRICE_LIMIT, price=ctx.max_buy_price))
    if ctx.live:
        return cancel(ctx, ctx.live, State.EXITING, why)
    sent = [leg for leg in ctx.newest if leg.role is Role.EXIT and leg.sent_this_cycle]
    if sent:
        refused = [leg for leg in sent if leg.was_rejected]
        if _is_about_instrument(ctx, refused):
            return Plan(state=ctx.unprotected_state, reason=why, actions=(ReadInstrument(),))
        if refused:
            return wait_for_retry(ctx, refused, why)
        return keep_waiting(ctx, why + reason(ReasonCode.RETRY_NEXT_CYCLE))
    return place_order(ctx, OrderKind.EXIT, State.EXITING, why, ctx.order_quantity)


def feasible_placement(
    ctx: GroupContext, *, price: Decimal | None = None, stop_only: bool = False
) -> Placement:
    """At `price`, or at mark."""
    desired = ctx.desired
    return placement(
        quantity=ctx.order_quantity,
        stop=desired.stop,
        target=None if stop_only else desired.target,
        mark=price or ctx.mark or desired.stop,
        distance_pct=desired.distance_pct,
        grid=desired.grid,
        exit_side=desired.exit_side,
        opening=ctx.opening,
    )


RULES: tuple[Rule, ...] = (
    ended,
    unknown,
    cancel_earlier_generations,
    finished,
    release_requested,
    exiting,
    stop_filling,
    target_partly_filled,
    covered,
    target_without_stop,
    cancelled_manually,
)
