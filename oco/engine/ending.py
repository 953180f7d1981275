"""What comes first: looking for what is lost, and bringing to an end what ends (rules 6, 8 and 10)."""

from oco.engine.answers import cancel, sell
from oco.engine.context import Case
from oco.engine.states import State
from oco.engine.types import LookUp, Plan, Role, Standing


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
