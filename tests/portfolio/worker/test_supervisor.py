"""Programs that live and end together: real processes, short ones."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from portfolio.worker import supervisor as module
from portfolio.worker.supervisor import Plan, Program, StopRequest, Supervisor
from tests.programs import ROOT, free_port, wait_until

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(15, 1); open(sys.argv[1], 'w').write('1'); time.sleep(60)",
]
PARENT = "import subprocess, sys, time; p = subprocess.Popen(sys.argv[2:]); open(sys.argv[1], 'w').write(str(p.pid)); "


@pytest.fixture
def lines():
    """What a person is told."""
    return []


@pytest.fixture
def supervisor(lines, monkeypatch):
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.01)
    supervisor = Supervisor(lines.append)
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


def pid_of(supervisor, number=0):
    process = supervisor._running[number].process
    return process and process.pid


def test_what_ends_is_started_again_and_it_says_so(supervisor, lines):
    supervisor.start(Program("web", SLEEPS))
    assert supervisor.watch() is None
    before = pid_of(supervisor)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: supervisor.watch() or pid_of(supervisor) not in (before, None))
    assert lines == ["The web has ended (exit code -9). It is started again."]


def test_what_ends_again_and_again_at_its_start_is_given_up(supervisor, lines):
    supervisor.start(Program("web", SLEEPS))
    supervisor.start(Program("worker", [sys.executable, "-c", "raise SystemExit(1)"]))
    failures = []
    wait_until(lambda: failures.append(supervisor.watch()) or failures[-1])
    assert failures[-1] == "The worker cannot be started (exit code 1)."
    assert len(lines) == module.MAX_EARLY_ENDS - 1


def test_what_cannot_boot_is_given_up_at_once(supervisor, lines):
    supervisor.start(Program("web", [sys.executable, "-c", f"raise SystemExit({module.CANNOT_BOOT})"]))
    failures = []
    wait_until(lambda: failures.append(supervisor.watch()) or failures[-1])
    assert (failures[-1], lines) == ("The web cannot be started (exit code 3).", [])


def test_one_that_ran_for_a_while_may_end_any_number_of_times(supervisor, lines, monkeypatch):
    monkeypatch.setattr(module, "EARLY_SECONDS", 0)
    supervisor.start(Program("worker", [sys.executable, "-c", "pass"]))
    wait_until(lambda: supervisor.watch() or len(lines) > module.MAX_EARLY_ENDS)
    assert supervisor.watch() is None


def test_stop_asks_first(supervisor):
    supervisor.start(Program("web", SLEEPS))
    process = supervisor._running[0].process
    supervisor.stop(10, is_forced=lambda: False)
    assert process.returncode == -signal.SIGTERM


def test_what_does_not_end_in_time_is_ended(supervisor, tmp_path):
    file = tmp_path / "ignores-sigterm"
    supervisor.start(Program("web", [*STUBBORN, str(file)]))
    process = supervisor._running[0].process
    wait_until(lambda: file.exists() and file.read_text())
    supervisor.stop(0.2, is_forced=lambda: False)
    assert process.returncode == -signal.SIGKILL


def test_a_program_is_ready_when_it_listens_and_with_a_path_when_it_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert Program("simulator", [], host="127.0.0.1", port=port).is_ready()
    assert not Program("simulator", [], host="127.0.0.1", port=free_port()).is_ready()
    assert not Program("web", [], host="127.0.0.1", port=free_port(), path="/").is_ready()
    assert Program("worker", []).is_ready()


def test_a_plan_survives_the_pipe():
    plan = Plan(
        [Program("web", ["a", "b"], host="::1", port=1, path="/"), Program("worker", ["c"])], "open: ñ"
    )
    assert Plan.from_json(plan.to_json()) == plan


def test_it_needs_the_standard_library_alone():
    """And of that little: it lives as long as the desk."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import supervisor; print(*sys.modules)"
    folder = str(ROOT / "portfolio" / "worker")
    program = [sys.executable, "-I", "-S", "-c", code, folder]
    loaded = set(subprocess.run(program, capture_output=True, text=True, check=True).stdout.split())
    assert loaded & {"django", "portfolio", "http.client", "ssl", "email", "asyncio"} == set()


def test_the_children_of_a_program_end_with_it(supervisor, tmp_path):
    file = tmp_path / "pid"
    supervisor.start(Program("worker", [sys.executable, "-c", PARENT + "time.sleep(60)", str(file), *SLEEPS]))
    wait_until(lambda: file.exists() and file.read_text())
    supervisor.stop(5, is_forced=lambda: False)
    wait_until(lambda: not is_alive(int(file.read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
def test_a_program_does_not_outlive_us_however_we_end(tmp_path):
    file = tmp_path / "pid"
    code = (
        "import sys, time; from portfolio.worker.supervisor import Program, Supervisor; one = Supervisor(print); "
        "one.start(Program('web', sys.argv[2:])); "
        "open(sys.argv[1], 'w').write(str(one._running[0].process.pid)); time.sleep(60)"
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
