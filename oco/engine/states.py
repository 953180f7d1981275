"""The states of a group, which may follow which, and who is open or final (pure)."""

from enum import StrEnum


class State(StrEnum):
    PENDING = "PENDING"  # cover has not been observed yet
    ACTIVE = "ACTIVE"  # read back open, with the quantity (rule 5)
    REPLACING = "REPLACING"  # cover was taken away, by us or by the exchange, and comes back
    EXITING = "EXITING"  # the coins are being sold at the market
    STOP_FAILED = "STOP_FAILED"  # an alarm and not an end: probed every cycle (rule 7)
    UNKNOWN = "UNKNOWN"  # some leg may or may not exist (rule 6)
    CLOSED_BY_STOP = "CLOSED_BY_STOP"
    CLOSED_BY_TARGET = "CLOSED_BY_TARGET"
    CLOSED_BY_EXIT = "CLOSED_BY_EXIT"
    CLOSED_BY_HAND = "CLOSED_BY_HAND"  # the coins left the account otherwise (rule 10)
    RELEASED = "RELEASED"  # a person took the protection away; the coins are still there (rule 10)


S = State
CLOSED = frozenset({S.CLOSED_BY_STOP, S.CLOSED_BY_TARGET, S.CLOSED_BY_EXIT, S.CLOSED_BY_HAND})
FINAL = CLOSED | {S.RELEASED}
OPEN = frozenset(State) - FINAL
FAILED = frozenset({S.STOP_FAILED, S.UNKNOWN})  # a person must look at it
UNPROTECTED = FAILED | {S.PENDING, S.REPLACING}  # no stop is confirmed open on the exchange

# A group once ACTIVE is never PENDING again: what is missing then was there before.
TRANSITIONS: dict[State, frozenset[State]] = {
    S.PENDING: frozenset(State) - {S.PENDING},
    S.ACTIVE: frozenset(State) - {S.ACTIVE, S.PENDING},
    S.REPLACING: frozenset(State) - {S.REPLACING, S.PENDING},
    S.EXITING: frozenset(State) - {S.EXITING, S.PENDING},
    S.STOP_FAILED: frozenset(State) - {S.STOP_FAILED},
    S.UNKNOWN: frozenset(State) - {S.UNKNOWN},
} | dict.fromkeys(FINAL, frozenset())


class IllegalTransition(ValueError):
    """A group cannot go this way."""


def is_open(state: str) -> bool:
    """Whether the group still guards something, or tries to."""
    return State(state) in OPEN


def is_final(state: str) -> bool:
    """Whether the group has ended for ever."""
    return State(state) in FINAL


def advance(old: str, new: str) -> State:
    """`new`, if a group may go there from `old` or is there already; else IllegalTransition."""
    before, after = State(old), State(new)
    if after is not before and after not in TRANSITIONS[before]:
        raise IllegalTransition(f"A group that is {before} cannot become {after}.")
    return after
