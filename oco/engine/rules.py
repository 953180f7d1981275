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

from oco.engine.context import Case
from oco.engine.pricing import Kind, Placement, is_near, placement
from oco.engine.states import State
from oco.engine.types import (
    ZERO,
    AskPrice,
    Cancel,
    Desired,
    Leg,
    LookUp,
    Observed,
    Order,
    Place,
    Plan,
    Role,
    Standing,
)


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


def ended(case: Case) -> Plan | None:
    """Stand-down: whatever comes to light behind a closed group is cancelled."""
    if not case.is_final:
        return None
    if not case.live:
        return Plan(state=case.observed.state, reason="")
    return cancel(case, case.live, case.observed.state, "An order came to light behind this ended group.")


def unknown(case: Case) -> Plan | None:
    """Rule 6: a leg whose fate is not known is looked up; nothing else is done meanwhile.

    Where the group is to end, a leg that the exchange had acknowledged counts as unknown for longer: absent
    is enough to send it again under its name, and not enough to close behind it.
    """
    lost = case.of(Standing.UNKNOWN) or case.doubtful
    if not lost:
        return None
    names = tuple(leg.client_oid for leg in lost if not leg.looked_now)
    roles = " and the ".join(sorted({leg.role.lower().replace("_", " ") for leg in lost}))
    reason = f"It is not known whether the {roles} order exists."
    return Plan(state=State.UNKNOWN, reason=reason, actions=(LookUp(names),) if names else ())


def strays(case: Case) -> Plan | None:
    """An order of an earlier generation came to light: the newest stays."""
    newest = max((leg.generation for leg in case.live), default=0)
    old = [leg for leg in case.live if leg.generation < newest]
    return cancel(case, old, case.uncovered, "An earlier order came to light.") if old else None


def finished(case: Case) -> Plan | None:
    """Nothing is left that an order could sell: close, once every leg has ended."""
    rest = case.rest
    if not case.is_over or (rest and case.live):
        return None
    if case.live:
        return cancel(
            case, case.live, case.kept, f"The lot is {case.way.done}; what still rests is cancelled."
        )
    state, words = case.closing
    return Plan(state=state, reason=f"{words} {rest} stays: too little for an order." if rest else words)


def leaving(case: Case) -> Plan | None:
    """A person released it, or it is merged: take everything away, then end."""
    if not case.desired.leave or case.live_of(Role.EXIT):
        return None
    if case.live:
        return cancel(case, case.live, case.replacing, case.desired.leave)
    return Plan(state=State.RELEASED, reason=case.desired.leave)


def exiting(case: Case) -> Plan | None:
    """A sale at the market is on its way; it ends by itself."""
    if not case.live_of(Role.EXIT):
        return None
    return Plan(state=State.EXITING, reason=f"The {case.way.order} at the market has not ended yet.")


def selling(case: Case) -> Plan | None:
    """A triggered stop is left to sell; what it leaves when it ends is sold at once (rule 8)."""
    stop = case.newest_of(Role.STOP_LOSS)
    if stop is None or not stop.executed:
        return None
    if stop.is_live:
        return Plan(state=case.kept, reason=f"The stop is {case.way.doing}.")
    if not stop.remaining:
        return None
    return sell(case, f"The stop {case.way.done} {stop.executed} of {stop.quantity} and ended {stop.end}.")


# Who refuses a pair for one of these refuses a stop as well: never sent, funds, rate, key (dossier 3).
NO_STOP_EITHER = frozenset({None, 306, 42901, 40101, 40102, 40103, 40104})


def cancelled_by_hand(case: Case) -> Plan | None:
    """Rule 10: both legs cancelled, not by us, nothing executed, and mark did not touch the stop."""
    if not case.was_cancelled_by_hand or not case.desired.respects_hand:
        return None
    market = case.observed.market
    if case.mark is None or not market.worst_asked:
        since = case.observed.last_active_at or case.desired.entered_at or case.observed.cycle_started
        return ask(case, "The orders were cancelled.", since=since)
    if market.worst is None or case.is_reached(case.way.nearer_stop((market.worst, case.mark))):
        return None
    return Plan(state=State.RELEASED, reason="The orders were cancelled by hand on the exchange.")


def place(case: Case) -> Plan:
    """Nothing of ours rests: put up what the market has room for (rules 3, 4 and 7)."""
    refused = [leg for leg in case.newest if leg.was_turned_away and leg.sent_now]
    if case.why_not:
        return wait(case, case.why_not)
    if refused and not _stop_may_follow(refused):
        return wait(case, "Refused. It is tried again in the next cycle.")
    if case.mark is None:
        return ask(case, f"No order {case.way.serves}.")
    found = room(case, alone=bool(refused) or case.lost_stop is not None)
    if found.kind is Kind.BEYOND:
        return beyond(case)
    if found.kind is Kind.NOTHING:
        return wait(case, found.reason)
    what = Order.PAIR if found.kind is Kind.PAIR else Order.STOP
    why = "The exchange refused the pair: the stop goes alone." if refused else found.reason
    why = "Nobody can find its stop: it is sent again under its name." if case.lost_stop else why
    return put(
        case,
        what,
        case.uncovered,
        why or f"No order {case.way.serves}.",
        found.quantity,
        found.stop,
        found.target,
    )


def beyond(case: Case) -> Plan:
    """Rule 9: sold at the market only soon after the entry or after cover, and when two looks agree."""
    if not case.desired.exits:
        return alarm(f"Mark is beyond the stop, and by the policy nothing is {case.way.done}.")
    if not case.is_recent:
        return alarm(
            f"Mark is beyond the stop, and was out of our sight for too long: nothing is {case.way.done}."
        )
    if len(case.looks) < 2:
        return ask(case, "Mark is beyond the stop.")
    if not all(case.is_beyond(look) for look in case.looks[-2:]):
        return wait(
            case, f"Mark is beyond the stop, but mark and best {case.way.meets} do not agree in two looks."
        )
    return sell(case, f"Mark and best {case.way.meets} are beyond the stop.")


def room(case: Case, *, alone: bool = False) -> Placement:
    """What the market has room for; `alone` leaves the target out."""
    desired = case.desired
    return placement(
        quantity=case.cover,
        stop=desired.stop,
        target=None if alone else desired.target,
        mark=case.mark or desired.stop,
        distance_pct=desired.distance_pct,
        grid=desired.grid,
        way=desired.way,
    )


def _stop_may_follow(refused: list[Leg]) -> bool:
    """Rule 4: the exchange refused a pair for a reason that does not hold for a stop alone."""
    pair = any(leg.role is Role.TAKE_PROFIT for leg in refused)
    return pair and not any(leg.refused_code in NO_STOP_EITHER for leg in refused)


NOT_READ_BACK = "Accepted, but not read back open yet."


def target_in_part(case: Case) -> Plan | None:
    """Rule 8: the target filled in part, for which the exchange kills the stop."""
    target = case.newest_of(Role.TAKE_PROFIT)
    if target is None or not target.is_live or not target.executed:
        return None
    what = f"The target {case.way.done} {target.executed} of {target.quantity}"
    if not case.fits(case.cover):
        return Plan(state=case.uncovered, reason=f"{what}. The rest is too little for a stop: it works on.")
    if case.mark is None:
        return ask(case, f"{what}.")
    if case.is_reached(case.mark):
        return beyond(case)
    if _may_work_on(case, target):
        return Plan(state=case.uncovered, reason=f"{what} and is near: it works one more cycle.", grace=True)
    return take_away(case, f"{what}. It is cancelled to protect the rest again.")


def _may_work_on(case: Case, target: Leg) -> bool:
    near = case.mark is not None and is_near(case.mark, target.price, case.desired.distance_pct, case.way)
    return near and not case.live_of(Role.STOP_LOSS) and not case.grace_is_over


def covered(case: Case) -> Plan | None:
    """Rule 5: a stop read back open, alone or with its target, for what the lot may sell."""
    if not case.live_of(Role.STOP_LOSS):
        return None
    if case.of(Standing.ACCEPTED):
        return Plan(state=case.uncovered, reason=NOT_READ_BACK)
    return resized(case) or whole_again(case) or Plan(state=State.ACTIVE, reason=_cover_words(case))


def _cover_words(case: Case) -> str:
    if case.live_of(Role.TAKE_PROFIT):
        return "Stop and target were read back open."
    return "The stop was read back open. It stands alone."


def resized(case: Case) -> Plan | None:
    """The lot may sell less than rests, or more: replaced, but not on the word of one read (rule 10)."""
    resting, owed = case.live_of(Role.STOP_LOSS)[0].remaining, case.cover
    if owed == resting or case.desired.is_short or not case.desired.is_settled:
        return None
    if not case.fits(owed):
        return cancel(
            case, case.live, case.replacing, f"Only {owed} may be {case.way.done}: too little for an order."
        )
    if owed > resting and case.why_not:
        return None
    if case.mark is None:
        return ask(case, f"{resting} is covered, {owed} may be {case.way.done}.")
    if case.is_reached(case.mark):
        return None
    return cancel(
        case,
        case.live,
        case.replacing,
        f"{resting} is covered, {owed} may be {case.way.done}: it is replaced.",
    )


def whole_again(case: Case) -> Plan | None:
    """Rule 7: a target cancelled by hand is put back, a cycle later and where a pair has room.

    One that the exchange itself ended or refused is not: then the stop stands alone (rule 4).
    """
    target, stop = case.newest_of(Role.TAKE_PROFIT), case.live_of(Role.STOP_LOSS)[0]
    if target is None or target.end != "CANCELED" or target.executed or stop.executed or case.why_not:
        return None
    if not case.grace_is_over:
        return Plan(state=State.ACTIVE, reason="The target was cancelled. The stop stands.", grace=True)
    if case.mark is None:
        return ask(case, "The target was cancelled. The stop stands.")
    if room(case).kind is not Kind.PAIR:
        return None
    return cancel(case, case.live, case.replacing, "The target was cancelled: the pair is replaced.")


def target_alone(case: Case) -> Plan | None:
    """Rule 7: the stop is gone while the target rests: it has to go before both come back."""
    if not case.live_of(Role.TAKE_PROFIT):
        return None
    if case.of(Standing.ACCEPTED):
        return Plan(state=case.uncovered, reason=NOT_READ_BACK)
    if case.mark is None:
        return ask(case, "The stop is gone.")
    if case.is_reached(case.mark):
        return beyond(case)
    return take_away(case, "The stop is gone: the target is cancelled to place both again.")


Rule = Callable[[Case], Plan | None]

RULES: tuple[Rule, ...] = (
    ended,
    unknown,
    strays,
    finished,
    leaving,
    exiting,
    selling,
    target_in_part,
    covered,
    target_alone,
    cancelled_by_hand,
)


def decide(desired: Desired, observed: Observed) -> Plan:
    """The plan for one group. A group that has ended only loses what still rests."""
    case = Case(desired, observed)
    plans = (rule(case) for rule in RULES)
    return next((plan for plan in plans if plan is not None), None) or place(case)
