"""Random histories, always the same share of them here; many more in `make soak`."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.oco.machine import Machine
from tests.share import examples

CALM = settings(
    max_examples=examples(80),
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # the failure prints its history; `make soak` makes such small
    suppress_health_check=[*HealthCheck],
)


@pytest.mark.usefixtures("transactional_db")
def test_whatever_happens_the_promises_are_kept():
    run_state_machine_as_test(Machine, settings=CALM)
