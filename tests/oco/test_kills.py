"""A few real kills; at least fifty in `make soak`."""

import sys

import pytest

from tests.oco.kill_run import kill_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize("seed", [1])
def test_killed_four_times_it_leaves_no_double_no_orphan_and_nothing_bare(tmp_path, seed):
    with kill_run(tmp_path, seed) as here:
        for _ in range(4):
            here.run_round()
            assert here.violations(at_rest=False) == []
        assert here.converge() == []
        assert here.ours()
