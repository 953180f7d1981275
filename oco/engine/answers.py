"""The few plans that a rule can answer with (pure)."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from oco.engine.context import Case
from oco.engine.states import State
from oco.engine.types import ZERO, AskPrice, Cancel, Leg, Order, Place, Plan, Role, Standing


def wait(case: Case, reason: str) -> Plan:
    return Plan(state=case.uncovered, reason=reason)


def alarm(reason: str) -> Plan:
    """Nothing can be done by itself, and a person must know."""
    return Plan(state=State.STOP_FAILED, reason=reason)


def ask(case: Case, reason: str, *, since: datetime | None = None) -> Plan:
    """One more look at the market; when it is silent, wait where we are."""
    state = case.kept if case.live_of(Role.STOP_LOSS) else case.uncovered
    if case.observed.market.is_silent:
        return Plan(state=state, reason=f"{reason} No price could be read.")
    return Plan(state=state, reason=reason, actions=(AskPrice(since),))


def cancel(case: Case, legs: Sequence[Leg], state: State, reason: str) -> Plan:
    """Rule 11: only what was read in this cycle, once a cycle; a market order ends by itself."""
    if not case.observed.can_remove or not all(leg.is_fresh for leg in legs):
        return Plan(state=case.kept, reason=f"{reason} Not everything was read, so nothing is cancelled.")
    names = [
        leg.client_oid
        for leg in legs
        if leg.standing is Standing.OPEN and leg.role is not Role.EXIT and not leg.cancel_sent_now
    ]
    return Plan(state=state, reason=reason, actions=(Cancel(tuple(names)),) if names else ())


def take_away(case: Case, reason: str) -> Plan:
    """Cancel what rests in order to place it anew, if that is possible at all."""
    if case.why_not:
        return wait(case, f"{reason} {case.why_not}")
    return cancel(case, case.live, case.replacing, reason)


def sell(case: Case, reason: str) -> Plan:
    """Sell, or buy back, exactly what the lot may at the market, after everything of ours is gone (rule 9)."""
    blocked = case.why_no_sale
    if blocked:
        return wait(case, f"{reason} {blocked}")
    if case.is_worthless:
        return alarm(f"{reason} At this price the lot is worth too little for an order.")
    if case.is_too_dear:
        return alarm(f"{reason} Nothing is bought above {case.ceiling}.")
    if case.live:
        return cancel(case, case.live, State.EXITING, reason)
    if any(leg.role is Role.EXIT and leg.sent_now for leg in case.newest):
        return wait(case, f"{reason} Tried again in the next cycle.")
    return put(case, Order.EXIT, State.EXITING, reason, case.cover)


def put(
    case: Case,
    what: Order,
    state: State,
    reason: str,
    quantity: Decimal,
    stop: Decimal = ZERO,
    target: Decimal | None = None,
) -> Plan:
    """Place it. A sale is no replacement, so that the kill switch always binds it (rule 13)."""
    order = Place(
        what=what,
        quantity=quantity,
        stop=stop,
        target=target,
        ceiling=case.ceiling,
        generation=_generation(case, what),
        finishing=case.finishes and what is not Order.EXIT,
    )
    return Plan(state=state, reason=reason, actions=(order,))


def _generation(case: Case, what: Order) -> int:
    """The last one again after what proved absent: a re-send keeps its names, so that 204 tells whether an
    order still lives that nobody could find (rule 6). A sale and a stop have no name in common.
    """
    if what is Order.STOP and case.lost_stop:
        return case.lost_stop.generation
    standings = {leg.standing for leg in case.newest}
    absent = Standing.ABSENT in standings and standings <= {Standing.ABSENT, Standing.REFUSED}
    same_purpose = (what is Order.EXIT) == any(leg.role is Role.EXIT for leg in case.newest)
    return case.newest[0].generation if absent and same_purpose else case.observed.generation + 1
