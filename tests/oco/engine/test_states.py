"""Which state may follow which."""

import pytest

from oco.engine.states import FINAL, OPEN, TRANSITIONS, IllegalTransition, State, advance, is_final, is_open


def test_every_state_is_open_or_final_and_has_a_row():
    assert set(State) == OPEN | FINAL == set(TRANSITIONS)
    assert all(is_open(state) != is_final(state) for state in State)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_follows_an_end(state):
    assert TRANSITIONS[state] == frozenset()
    with pytest.raises(IllegalTransition, match=state):
        advance(state, State.ACTIVE)


@pytest.mark.parametrize("state", sorted(State))
def test_staying_is_always_possible(state):
    assert advance(state, state) is state


def test_what_was_covered_once_is_never_merely_pending():
    with pytest.raises(IllegalTransition):
        advance("ACTIVE", "PENDING")


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_state_can_end_in_every_way(state):
    assert TRANSITIONS[state] >= FINAL


def test_an_unknown_word_is_no_state():
    with pytest.raises(ValueError, match="LOST"):
        is_open("LOST")
