"""What to do about one group: the first rule of protection that applies (pure).

No clock, no database, no client. The order of `RULES` is the argument: look before acting, take away before
adding, and place only when nothing of ours rests.
"""

from collections.abc import Callable

from oco.engine import covering, ending, placing
from oco.engine.context import Case
from oco.engine.types import Desired, Observed, Plan

Rule = Callable[[Case], Plan | None]

RULES: tuple[Rule, ...] = (
    ending.ended,
    ending.unknown,
    ending.strays,
    ending.finished,
    ending.leaving,
    ending.exiting,
    ending.selling,
    covering.target_in_part,
    covering.covered,
    covering.target_alone,
    placing.cancelled_by_hand,
)


def decide(desired: Desired, observed: Observed) -> Plan:
    """The plan for one group. A group that has ended only loses what still rests."""
    case = Case(desired, observed)
    plans = (rule(case) for rule in RULES)
    return next((plan for plan in plans if plan is not None), None) or placing.place(case)
