"""The worker as a process: it lives, it works, it ends when it is told to."""

import os
import signal
import sqlite3
import sys

import pytest

from tests.programs import Place, children, descendants, is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    assert place.run("setup", "--no-static")[0] == 0
    yield place
    place.clear()


@pytest.fixture
def worker(place):
    worker = place.start("run_worker")
    worker.until(lambda: rows(place, "SELECT name FROM exchange_heartbeat"))
    return worker


def rows(place, sql):
    with sqlite3.connect(place.directory / "dry_run.sqlite3") as connection:
        return connection.execute(sql).fetchall()


def test_it_beats_and_runs_the_cycle_that_is_due(place, worker):
    worker.until(lambda: rows(place, "SELECT status FROM sync_runs WHERE status != 'RUNNING'"))
    assert rows(place, "SELECT name FROM exchange_heartbeat") == [("worker",)]
    assert worker.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_with_all_its_processes(worker, number):
    started = descendants(worker.pid)
    assert len(started) >= 5  # the pool's guard, two that work, one that fetches, one that records
    assert worker.stop(number) == 0
    assert not [pid for pid in started if is_alive(pid)]
    assert "Traceback" not in worker.text()


def test_without_its_pool_it_does_not_pretend(worker):
    (guard,) = children(worker.pid)
    started = descendants(worker.pid)
    os.kill(guard, signal.SIGKILL)
    assert worker.wait() == 1
    assert "The worker's pool has ended unexpectedly." in worker.text()
    assert not [pid for pid in started if is_alive(pid)]
