"""The worker as a process: it lives, it works, it ends when it is told to."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from tests.programs import ROOT, descendants, wait_until

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
def test_told_to_end_it_ends_and_it_is_one_process(worker, number):
    assert descendants(worker.pid) == []
    assert worker.stop(number) == 0
    assert "Traceback" not in worker.text()


HANGING = """
import os, sys, time
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core.management import call_command
from django_q.conf import Conf
from portfolio import tasks
Conf.TIMEOUT = 4
flag = os.environ["VAR_DIR"] + "/hangs"
def hang():
    if os.path.exists(flag):
        os.unlink(flag)
        time.sleep(600)
    return "sent"
tasks.send_alerts = hang
tasks.sync_cycle = tasks.read_market = tasks.sync_stream = lambda: "quick"
call_command("run_worker")
"""


def test_a_task_that_hangs_is_ended_and_the_worker_starts_again(installation):
    """As the same process: whatever supervises it need not notice."""
    program, flag, log = (installation.directory / name for name in ("hanging.py", "hangs", "log"))
    program.write_text(HANGING)
    flag.touch()
    with log.open("w") as out:
        worker = subprocess.Popen(
            [sys.executable, str(program)],
            cwd=ROOT,
            env=installation.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    results = "SELECT success FROM django_q_task WHERE func = 'portfolio.tasks.send_alerts' ORDER BY started"
    try:
        wait_until(lambda: not flag.exists(), why=log.read_text)
        wait_until(lambda: (0,) in rows(installation, results), why=log.read_text)
        installation.write("UPDATE django_q_schedule SET next_run = '2026-01-01' WHERE name = 'alerts'")
        wait_until(lambda: (1,) in rows(installation, results), why=log.read_text)
        assert worker.poll() is None
        worker.terminate()
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait()
    text = log.read_text()
    assert text.count("The worker starts again: portfolio.tasks.send_alerts ran for more than 4 s.") == 1
    assert "database is locked" not in text
