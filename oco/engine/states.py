"""The states of a group, the allowed transitions, and the open and final states (pure)."""

from enum import StrEnum

from exchange.core.reasons import OrderReason, Reason
from oco.engine.reason_codes import ReasonCode


class State(StrEnum):
    PENDING = "PENDING"  # no coverage observed yet
    ACTIVE = "ACTIVE"  # read back open, with the quantity (rule 5)
    REPLACING = "REPLACING"  # coverage was removed, by us or by the exchange, and is placed again
    EXITING = "EXITING"  # the coins are being sold at market
    STOP_FAILED = "STOP_FAILED"  # an alarm, not an end: tried again every cycle (rule 7)
    UNKNOWN = "UNKNOWN"  # a leg may or may not exist (rule 6)
    CLOSED_BY_STOP = "CLOSED_BY_STOP"
    CLOSED_BY_TARGET = "CLOSED_BY_TARGET"
    CLOSED_BY_EXIT = "CLOSED_BY_EXIT"
    CLOSED_BY_HAND = "CLOSED_BY_HAND"  # the coins left the account in another way (rule 10)
    RELEASED = "RELEASED"  # a user removed the protection; the coins are still there (rule 10)


S = State
CLOSED_BY_ORDER = frozenset({S.CLOSED_BY_STOP, S.CLOSED_BY_TARGET, S.CLOSED_BY_EXIT})
CLOSED = CLOSED_BY_ORDER | {S.CLOSED_BY_HAND}
FINAL = CLOSED | {S.RELEASED}
OPEN = frozenset(State) - FINAL
FAILED = frozenset({S.STOP_FAILED, S.UNKNOWN})  # a user must act
UNPROTECTED = OPEN - {S.ACTIVE}  # no stop is confirmed open on the exchange (rule 5)

# A group that was ACTIVE once is never PENDING again: its coverage was lost, not missing from the start.
TRANSITIONS: dict[State, frozenset[State]] = {
    S.PENDING: frozenset(State) - {S.PENDING},
    S.ACTIVE: frozenset(State) - {S.ACTIVE, S.PENDING},
    S.REPLACING: frozenset(State) - {S.REPLACING, S.PENDING},
    S.EXITING: frozenset(State) - {S.EXITING, S.PENDING},
    S.STOP_FAILED: frozenset(State) - {S.STOP_FAILED},
    S.UNKNOWN: frozenset(State) - {S.UNKNOWN},
} | dict.fromkeys(FINAL, frozenset())


REMOVAL_REQUESTED = "REMOVAL_REQUESTED"
ON_HOLD = "ON_HOLD"
REMOVAL_CODES = frozenset({ReasonCode.RELEASE_REQUESTED, ReasonCode.RELEASED_BY})
HOLD_CODES = frozenset(
    {OrderReason.TRADING_DISABLED, OrderReason.KILL_SWITCH_ON, OrderReason.KILL_SWITCH_UNREADABLE}
)


def shown_state(state: str, reason: Reason | None, *, is_removal_requested: bool = False) -> str:
    """What a user reads for a state: who caused it is in the reason, not in the orders.

    REPLACING is also the state in which a user's request removes the orders, and PENDING that in which nothing is
    placed because trading is off. What is unknown, or being sold, stays what it is.
    """
    codes = {one.code for one in reason or ()}
    if state in (S.PENDING, S.ACTIVE, S.REPLACING, S.STOP_FAILED) and is_removal_requested:
        return REMOVAL_REQUESTED
    if state == S.REPLACING and codes & REMOVAL_CODES:
        return REMOVAL_REQUESTED
    return ON_HOLD if state in (S.PENDING, S.REPLACING) and codes & HOLD_CODES else state


class IllegalTransition(ValueError):
    """This transition is not allowed."""


def is_open(state: str) -> bool:
    return State(state) in OPEN


def is_final(state: str) -> bool:
    return State(state) in FINAL


def advance(old: str, new: str) -> State:
    """`new`, if the transition from `old` is allowed or the state is the same; else IllegalTransition."""
    before, after = State(old), State(new)
    if after is not before and after not in TRANSITIONS[before]:
        raise IllegalTransition(f"A group that is {before} cannot become {after}.")
    return after
