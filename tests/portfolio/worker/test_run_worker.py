"""The worker as a process: it lives, it works, it ends when it is told to."""

import os
import signal
import sqlite3
import sys

import pytest

from tests.programs import children, descendants, is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def installation(tmp_path, templates):
    installation = templates.installation(tmp_path)
    yield installation
    installation.clear()


@pytest.fixture
def worker(installation):
    worker = installation.start("run_worker")
    worker.wait_until(lambda: rows(installation, "SELECT name FROM exchange_heartbeat"))
    return worker


def rows(installation, sql):
    with sqlite3.connect(installation.directory / "dry_run.sqlite3") as connection:
        return connection.execute(sql).fetchall()


def test_it_beats_and_runs_the_cycle_that_is_due(installation, worker):
    worker.wait_until(lambda: rows(installation, "SELECT status FROM sync_runs WHERE status != 'RUNNING'"))
    assert rows(installation, "SELECT name FROM exchange_heartbeat") == [("worker",)]
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
    assert "The task pool of the worker has stopped unexpectedly." in worker.text()
    assert not [pid for pid in started if is_alive(pid)]
