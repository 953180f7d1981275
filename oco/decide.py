"""What to do about one group: the first rule of protection that applies (pure).

No clock, no database, no client. The order of `RULES` is the argument: look before acting, take away before
adding, and place only when nothing of ours rests.
"""

from collections.abc import Callable

from oco.case import Case
from oco.plan import Desired, Leg, LookUp, Observed, Order, Plan, Role, Standing
from oco.pricing import Kind, Placement, is_near, placement
from oco.states import State

# Who refuses a pair for one of these refuses a stop as well: never sent, funds, rate, key (dossier 3).
NO_STOP_EITHER = frozenset({None, 306, 42901, 40101, 40102, 40103, 40104})
NOT_READ_BACK = "Accepted, but not read back open yet."

Rule = Callable[[Case], Plan | None]


def decide(desired: Desired, observed: Observed) -> Plan:
    """The plan for one group. A group that has ended only loses what still rests."""
    case = Case(desired, observed)
    plans = (rule(case) for rule in RULES)
    return next((plan for plan in plans if plan is not None), None) or place(case)


def ended(case: Case) -> Plan | None:
    """Stand-down: whatever comes to light behind a closed group is cancelled."""
    if not case.is_final:
        return None
    if not case.live:
        return Plan(state=case.observed.state, reason="")
    return case.cancel(case.live, case.observed.state, "An order came to light behind this ended group.")


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
    return case.cancel(old, case.uncovered, "An earlier order came to light.") if old else None


def finished(case: Case) -> Plan | None:
    """Nothing is left that an order could sell: close, once every leg has ended."""
    rest = case.rest
    if case.fits(rest) or (rest and case.live):
        return None
    if case.live:
        return case.cancel(case.live, case.kept, "The lot is sold; what still rests is cancelled.")
    state, words = case.closing
    return Plan(state=state, reason=f"{words} {rest} stays: too little for an order." if rest else words)


def leaving(case: Case) -> Plan | None:
    """A person released it, or it is merged: take everything away, then end."""
    if not case.desired.leave or case.live_of(Role.EXIT):
        return None
    if case.live:
        return case.cancel(case.live, case.replacing, case.desired.leave)
    return Plan(state=State.RELEASED, reason=case.desired.leave)


def exiting(case: Case) -> Plan | None:
    """A sale at the market is on its way; it ends by itself."""
    if not case.live_of(Role.EXIT):
        return None
    return Plan(state=State.EXITING, reason="The sale at the market has not ended yet.")


def selling(case: Case) -> Plan | None:
    """A triggered stop is left to sell; what it leaves when it ends is sold at once (rule 8)."""
    stop = case.newest_of(Role.STOP_LOSS)
    if stop is None or not stop.executed:
        return None
    if stop.is_live:
        return Plan(state=case.kept, reason="The stop is selling.")
    if not stop.remaining:
        return None
    return case.exit(f"The stop sold {stop.executed} of {stop.quantity} and ended {stop.end}.")


def target_in_part(case: Case) -> Plan | None:
    """Rule 8: the target filled in part, for which the exchange kills the stop."""
    target = case.newest_of(Role.TAKE_PROFIT)
    if target is None or not target.is_live or not target.executed:
        return None
    what = f"The target sold {target.executed} of {target.quantity}"
    if not case.fits(case.cover):
        return Plan(state=case.uncovered, reason=f"{what}. The rest is too little for a stop: it works on.")
    if case.mark is None:
        return case.ask(f"{what}.")
    if case.mark <= case.desired.stop:
        return beyond(case)
    if _may_work_on(case, target):
        return Plan(state=case.uncovered, reason=f"{what} and is near: it works one more cycle.", grace=True)
    return case.take_away(f"{what}. It is cancelled to protect the rest again.")


def _may_work_on(case: Case, target: Leg) -> bool:
    near = case.mark is not None and is_near(case.mark, target.price, case.desired.distance_pct)
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
        return case.cancel(case.live, case.replacing, f"Only {owed} may be sold: too little for an order.")
    if owed > resting and case.why_not:
        return None
    if case.mark is None:
        return case.ask(f"{resting} is covered, {owed} may be sold.")
    if case.mark <= case.desired.stop:
        return None
    return case.cancel(
        case.live, case.replacing, f"{resting} is covered, {owed} may be sold: it is replaced."
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
        return case.ask("The target was cancelled. The stop stands.")
    if _room(case).kind is not Kind.PAIR:
        return None
    return case.cancel(case.live, case.replacing, "The target was cancelled: the pair is replaced.")


def target_alone(case: Case) -> Plan | None:
    """Rule 7: the stop is gone while the target rests: it has to go before both come back."""
    if not case.live_of(Role.TAKE_PROFIT):
        return None
    if case.of(Standing.ACCEPTED):
        return Plan(state=case.uncovered, reason=NOT_READ_BACK)
    if case.mark is None:
        return case.ask("The stop is gone.")
    if case.mark <= case.desired.stop:
        return beyond(case)
    return case.take_away("The stop is gone: the target is cancelled to place both again.")


def cancelled_by_hand(case: Case) -> Plan | None:
    """Rule 10: both legs cancelled, not by us, nothing executed, and mark did not touch the stop."""
    if not case.was_cancelled_by_hand or not case.desired.respects_hand:
        return None
    market = case.observed.market
    if case.mark is None or not market.low_asked:
        since = case.observed.last_active_at or case.desired.entered_at or case.observed.cycle_started
        return case.ask("The orders were cancelled.", since=since)
    if market.low is None or min(market.low, case.mark) <= case.desired.stop:
        return None
    return Plan(state=State.RELEASED, reason="The orders were cancelled by hand on the exchange.")


def place(case: Case) -> Plan:
    """Nothing of ours rests: put up what the market has room for (rules 3, 4 and 7)."""
    refused = [leg for leg in case.newest if leg.was_turned_away and leg.sent_now]
    if case.why_not:
        return case.wait(case.why_not)
    if refused and not _stop_may_follow(refused):
        return case.wait("Refused. It is tried again in the next cycle.")
    if case.mark is None:
        return case.ask("No order protects it.")
    room = _room(case, alone=bool(refused))
    if room.kind is Kind.BEYOND:
        return beyond(case)
    if room.kind is Kind.NOTHING:
        return case.wait(room.reason)
    what = Order.PAIR if room.kind is Kind.PAIR else Order.STOP
    why = "The exchange refused the pair: the stop goes alone." if refused else room.reason
    return case.put(
        what, case.uncovered, why or "No order protects it.", room.quantity, room.stop, room.target
    )


def beyond(case: Case) -> Plan:
    """Rule 9: sold at the market only soon after the entry or after cover, and when two looks agree."""
    if not case.desired.exits:
        return case.alarm("Mark is beyond the stop, and by the policy nothing is sold.")
    if not case.is_recent:
        return case.alarm("Mark is beyond the stop, and was out of our sight for too long: nothing is sold.")
    if len(case.looks) < 2:
        return case.ask("Mark is beyond the stop.")
    if not all(case.is_beyond(look) for look in case.looks[-2:]):
        return case.wait("Mark is beyond the stop, but mark and best bid do not agree in two looks.")
    return case.exit("Mark and best bid are beyond the stop.")


def _room(case: Case, *, alone: bool = False) -> Placement:
    desired = case.desired
    return placement(
        quantity=case.cover,
        stop=desired.stop,
        target=None if alone else desired.target,
        mark=case.mark or desired.stop,
        distance_pct=desired.distance_pct,
        grid=desired.grid,
    )


def _stop_may_follow(refused: list[Leg]) -> bool:
    """Rule 4: the exchange refused a pair for a reason that does not hold for a stop alone."""
    pair = any(leg.role is Role.TAKE_PROFIT for leg in refused)
    return pair and not any(leg.refused_code in NO_STOP_EITHER for leg in refused)


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
