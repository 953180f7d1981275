"""What is done while some of our orders rest (rules 5, 7 and 8)."""

from oco.engine.answers import ask, cancel, take_away
from oco.engine.context import Case
from oco.engine.oco_pricing import Kind, is_near
from oco.engine.placing import beyond, room
from oco.engine.states import State
from oco.engine.types import Leg, Plan, Role, Standing

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
