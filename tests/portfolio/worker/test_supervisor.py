"""Programs that live and end together: real processes, short ones."""

import os
import signal
import subprocess
import sys

import pytest

from portfolio.worker.processes import StopRequest, Supervisor
from tests.programs import wait_until

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(15, 1); open(sys.argv[1], 'w').write('1'); time.sleep(60)",
]
PARENT = "import subprocess, sys, time; p = subprocess.Popen(sys.argv[2:]); open(sys.argv[1], 'w').write(str(p.pid)); "


@pytest.fixture
def supervisor():
    supervisor = Supervisor()
    yield supervisor
    supervisor.stop(0, is_forced=lambda: True)


@pytest.fixture
def handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may have it ignored
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as status:
        return status.read().split()[2] != "Z"


def test_it_says_which_program_ended_and_how(supervisor):
    supervisor.start("web", SLEEPS)
    assert supervisor.first_exited() is None
    supervisor.start("worker", [sys.executable, "-c", "raise SystemExit(3)"])
    wait_until(supervisor.first_exited)
    assert supervisor.first_exited() == "The worker has ended (exit code 3)."


def test_stop_asks_first(supervisor):
    supervisor.start("web", SLEEPS)
    supervisor.stop(10, is_forced=lambda: False)
    assert supervisor.first_exited() == f"The web has ended (exit code {-signal.SIGTERM})."


def test_what_does_not_end_in_time_is_ended(supervisor, tmp_path):
    file = tmp_path / "ignores-sigterm"
    supervisor.start("web", [*STUBBORN, str(file)])
    wait_until(lambda: file.exists() and file.read_text())
    supervisor.stop(0.2, is_forced=lambda: False)
    assert supervisor.first_exited() == f"The web has ended (exit code {-signal.SIGKILL})."


def test_the_children_of_a_program_end_with_it(supervisor, tmp_path):
    file = tmp_path / "pid"
    supervisor.start("worker", [sys.executable, "-c", PARENT + "time.sleep(60)", str(file), *SLEEPS])
    wait_until(lambda: file.exists() and file.read_text())
    supervisor.stop(5, is_forced=lambda: False)
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_program_does_not_outlive_us_however_we_end(tmp_path):
    file = tmp_path / "pid"
    code = (
        "import sys, time; from portfolio.worker.processes import Supervisor; one = Supervisor(); "
        "one.start('web', sys.argv[2:]); open(sys.argv[1], 'w').write(str(one._running['web'].pid)); time.sleep(60)"
    )
    us = subprocess.Popen([sys.executable, "-c", code, str(file), *SLEEPS])
    wait_until(lambda: file.exists() and file.read_text())
    us.kill()
    us.wait()
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_is_noted_and_nothing_else_happens(handlers, number):
    stop = StopRequest()
    assert not stop.requests
    os.kill(os.getpid(), number)
    assert stop.requests == 1


def test_a_hangup_that_nohup_ignores_stays_ignored(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = StopRequest()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stop.requests
