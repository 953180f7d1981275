"""A few real kills; at least fifty in `make soak`."""

import sys

import pytest

from tests.oco.kill_run import kill_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.mark.parametrize(("stream", "kills"), [("off", 4), ("failing", 3)])
def test_killed_several_times_it_leaves_no_double_no_orphan_and_nothing_bare(tmp_path, stream, kills):
    with kill_run(tmp_path, 1, stream) as here:
        for _ in range(kills):
            here.run_round()
            assert here.violations(at_rest=False) == []
        assert here.converge() == []
        assert here.ours()
