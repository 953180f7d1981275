"""Several workers on one database, and the end of one: asked for, or by a kill in the middle of a cycle."""

import sys
import time
from functools import partial

import pytest

from tests.oco.workers import worker_pool

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.django_db,  # on PostgreSQL too: nothing of the test's own database is used
]
INTERVAL = 12  # the shortest that the rhythm keeps
SLACK = 4  # a start of a cycle is looked for each second, and a cycle takes its time


def test_when_one_of_two_dies_in_mid_cycle_the_other_goes_on_within_an_interval(tmp_path, templates):
    with worker_pool(
        tmp_path, partial(templates.installation, on_server=True), SYNC_INTERVAL_SECONDS=str(INTERVAL)
    ) as here:
        here.start(2)
        here.cycles(1)
        died = here.kill_in_cycle(after=True)
        here.buy("0.01")
        here.wait_until(lambda: died)
        here.installation.write(
            "UPDATE exchange_lease SET expires_at = '2020-01-01T00:00:00Z' WHERE name = 'cycle'"
        )  # 30 s, in a moment
        assert here.cycles(1) < INTERVAL + SLACK
        here.wait_until(here.is_covered)
        here.buy("0.02")
        here.cycles(1)
        assert here.is_covered()
        assert here.pairs() == 2
        (survivor,) = [worker for worker in here.workers if worker not in died]
        assert survivor.stop() == 0


def test_asked_to_end_it_ends_the_cycle_first_and_says_that_protection_stays(tmp_path, templates):
    with worker_pool(
        tmp_path, partial(templates.installation, on_server=True), SYNC_INTERVAL_SECONDS=str(INTERVAL)
    ) as here:
        here.start()
        here.cycles(1)
        asked = []

        def slow(method, after):
            if method == "private/advanced/create-oco" and not after:
                asked.append(method)
                time.sleep(2)

        here.app.on_call = slow
        here.buy("0.01")
        here.wait_until(lambda: asked)
        (worker,) = here.workers
        assert worker.stop() == 0
        assert here.is_covered()
        assert here.installation.rows("SELECT holder FROM exchange_lease WHERE name = 'cycle'") == [("",)]
        assert here.installation.rows("SELECT status FROM sync_runs ORDER BY id DESC LIMIT 1") == [("OK",)]
        text = worker.text()
        assert "Stop loss and take profit orders stay open on the exchange." in text
        assert (
            text.index("The worker is stopping")
            < text.rindex("sync cycle completed")
            < text.index("has stopped")
        )
