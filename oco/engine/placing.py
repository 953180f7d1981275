"""What is done when nothing of ours rests (rules 3, 4, 9 and 10)."""

from oco.engine.answers import alarm, ask, put, sell, wait
from oco.engine.context import Case
from oco.engine.oco_pricing import Kind, Placement, placement
from oco.engine.states import State
from oco.engine.types import Leg, Order, Plan, Role

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
