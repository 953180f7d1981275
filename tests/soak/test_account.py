"""A fixed, small share of `make soak`."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.share import examples
from tests.soak.account import Account

SHARE = settings(
    max_examples=examples(40),
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.usefixtures("db")
def test_whatever_happens_both_records_agree_in_the_end():
    run_state_machine_as_test(Account, settings=SHARE)
