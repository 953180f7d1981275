"""The plans a rule can return, and why an order was refused (pure)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchange.client.error_codes import KEY_CODES
from exchange.core.reasons import OrderReason, Reason, reason
from oco.engine.context import GroupContext
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State
from oco.engine.types import (
    ZERO,
    Cancel,
    Leg,
    LegStatus,
    OrderKind,
    Place,
    Plan,
    RequestPrice,
    Role,
)


def keep_waiting(ctx: GroupContext, why: Reason) -> Plan:
    return Plan(state=ctx.unprotected_state, reason=why)


def needs_attention(why: Reason) -> Plan:
    """Nothing can be done automatically; a user must act."""
    return Plan(state=State.STOP_FAILED, reason=why)


def request_price(ctx: GroupContext, why: Reason, *, since: datetime | None = None) -> Plan:
    """Take one more price sample; without one, wait in the same state."""
    state = ctx.current_state if ctx.live_stops else ctx.unprotected_state
    if ctx.observed.market.is_unavailable:
        return Plan(state=state, reason=why + reason(ReasonCode.NO_PRICE))
    return Plan(state=state, reason=why, actions=(RequestPrice(since),))


def cancel(ctx: GroupContext, legs: Sequence[Leg], state: State, why: Reason) -> Plan:
    """Rule 11: only orders read in this cycle, once per cycle; a market order is never cancelled."""
    if not ctx.observed.can_remove or not all(leg.is_fresh for leg in legs):
        return Plan(state=ctx.current_state, reason=why + reason(ReasonCode.DATA_MISSING_NO_CANCEL))
    client_oids = [
        leg.client_oid
        for leg in legs
        if leg.status is LegStatus.OPEN and leg.role is not Role.EXIT and not leg.cancel_sent_this_cycle
    ]
    return Plan(state=state, reason=why, actions=(Cancel(tuple(client_oids)),) if client_oids else ())


def cancel_to_replace(ctx: GroupContext, why: Reason) -> Plan:
    """Cancel the open orders in order to place them again, unless placing is blocked."""
    if ctx.blocked_reason:
        return keep_waiting(ctx, why + ctx.blocked_reason)
    return cancel(ctx, ctx.live, ctx.replacing_state, why)


def place_order(
    ctx: GroupContext,
    kind: OrderKind,
    state: State,
    why: Reason,
    quantity: Decimal,
    stop: Decimal = ZERO,
    target: Decimal | None = None,
) -> Plan:
    order = Place(
        kind=kind,
        quantity=quantity,
        stop=stop,
        target=target,
        max_buy_price=ctx.max_buy_price,
        generation=_next_generation(ctx, kind),
        # an exit is no replacement: the kill switch always blocks it (rule 13)
        bypass_kill_switch=ctx.bypasses_kill_switch and kind is not OrderKind.EXIT,
    )
    return Plan(state=state, reason=why, actions=(order,))


def _next_generation(ctx: GroupContext, kind: OrderKind) -> int:
    """The last generation again when its orders proved absent: a re-send keeps their `client_oid`, so that
    204 shows whether an order that could not be found is still live (rule 6). An exit and a stop share no
    id.
    """
    if kind is OrderKind.STOP and ctx.lost_stop:
        return ctx.lost_stop.generation
    statuses = {leg.status for leg in ctx.newest}
    absent = LegStatus.ABSENT in statuses and statuses <= {LegStatus.ABSENT, LegStatus.REFUSED}
    same_purpose = (kind is OrderKind.EXIT) == any(leg.role is Role.EXIT for leg in ctx.newest)
    return ctx.newest[0].generation if absent and same_purpose else ctx.observed.generation + 1


def refusal(refused: Sequence[Leg]) -> Reason:
    """The exchange's error code; without a code, its message."""
    was_sent = any(leg.status is not LegStatus.ABSENT for leg in refused)
    code, what = code_of(refused), OrderReason.ORDER_REFUSED if was_sent else OrderReason.ORDER_NOT_SENT
    if code in KEY_CODES:
        what = OrderReason.ORDER_NOT_ALLOWED
    return reason(
        what,
        exchange_code=code,
        answer=next((leg.refused_answer for leg in refused if leg.refused_answer), "")
        if code is None
        else "",
    )


def wait_for_retry(ctx: GroupContext, refused: Sequence[Leg], why: Reason | None = None) -> Plan:
    """Not again in this cycle (rule 7). A key that may not trade needs a person at once."""
    answer = refusal(refused) + reason(ReasonCode.RETRY_NEXT_CYCLE)
    full_reason = answer if why is None else why + answer
    return needs_attention(full_reason) if code_of(refused) in KEY_CODES else keep_waiting(ctx, full_reason)


def code_of(legs: Sequence[Leg]) -> int | None:
    codes = (leg.refused_code for leg in legs if leg.was_rejected)
    return next((code for code in codes if code is not None), None)
