"""What a state is called: the orders do not say who caused it."""

import pytest

from exchange.core.reasons import OrderReason, reason
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import ON_HOLD, REMOVAL_REQUESTED, State, shown_state

REPLACED = reason(ReasonCode.TARGET_CANCELLED_REPLACING)
REMOVED = reason(ReasonCode.RELEASED_BY, name="alice")
HELD = reason(OrderReason.KILL_SWITCH_ON, name="alice")


@pytest.mark.parametrize(
    ("state", "why", "requested", "shown"),
    [
        ("REPLACING", REPLACED, False, "REPLACING"),
        ("REPLACING", REMOVED, False, REMOVAL_REQUESTED),
        ("REPLACING", REMOVED + reason(ReasonCode.BALANCE_SHORT, side="SELL"), False, REMOVAL_REQUESTED),
        ("REPLACING", REPLACED, True, REMOVAL_REQUESTED),
        ("ACTIVE", None, True, REMOVAL_REQUESTED),
        ("PENDING", None, True, REMOVAL_REQUESTED),
        ("STOP_FAILED", None, True, REMOVAL_REQUESTED),
        ("UNKNOWN", None, True, "UNKNOWN"),
        ("EXITING", None, True, "EXITING"),
        ("REPLACING", HELD, False, ON_HOLD),
        ("PENDING", reason(OrderReason.TRADING_DISABLED), False, ON_HOLD),
        ("REPLACING", REPLACED + HELD, False, ON_HOLD),
        ("REPLACING", None, False, "REPLACING"),
        ("ACTIVE", REMOVED, False, "ACTIVE"),
        ("RELEASED", REMOVED, False, "RELEASED"),
    ],
)
def test_the_reason_decides_between_replaced_removed_and_held(state, why, requested, shown):
    assert shown_state(state, why, is_removal_requested=requested) == shown


@pytest.mark.parametrize("state", sorted(State))
def test_without_a_reason_every_state_is_itself(state):
    assert shown_state(state, None) == state
