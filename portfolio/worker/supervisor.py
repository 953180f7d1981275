"""Starts the programs of an installation, starts again what has ended, and stops them together.

`run_desk` becomes this program when everything is set up. It needs the standard library alone, and so takes a few MB:
`python supervisor.py FD`, where the pipe FD holds a `Plan` as JSON.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from types import FrameType

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 25  # for a running cycle to finish; the next one continues an interrupted one
STEP_SECONDS = 0.1
CANNOT_BOOT = 3  # exit code: to start the program again would not help
EARLY_SECONDS = 15  # a program that ends this soon has not really started
MAX_EARLY_ENDS = 5
RESTART_SECONDS = 0.5  # doubled with each early end


@dataclass
class Program:
    """`port`: it is ready when it listens there, or, with `path`, when it answers a request for that."""

    name: str
    command: list[str]
    directory: str | None = None  # where it runs
    host: str = ""
    port: int = 0
    path: str = ""
    needed_by_next: bool = False

    def is_ready(self) -> bool:
        if not self.port:
            return True
        with suppress(OSError), socket.create_connection((self.host, self.port), timeout=5) as connection:
            if not self.path:
                return True
            request = f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return connection.recv(5) == b"HTTP/"
        return False


@dataclass
class Plan:
    """`opened`: what to print when all programs are ready."""

    programs: list[Program]
    opened: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        values = json.loads(text)
        return cls([Program(**each) for each in values["programs"]], values["opened"])


class StopRequest:
    """Counts Ctrl-C and stop signals; nothing else happens inside the handler."""

    def __init__(self) -> None:
        self.requests = 0
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1


@dataclass
class Running:
    """A program and its process, None while it waits to be started again."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    early_ends: int = 0

    def start(self) -> None:
        """In its own session, so that Ctrl-C reaches only this process, which stops them in order."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603
            self.program.command,
            cwd=self.program.directory,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    def note_end(self, exit_code: int) -> str | None:
        """Plans the next start. A sentence when there is none."""
        now = time.monotonic()
        self.early_ends = self.early_ends + 1 if now - self.started_at < EARLY_SECONDS else 0
        self.process, self.restart_at = None, now + RESTART_SECONDS * 2**self.early_ends
        if exit_code == CANNOT_BOOT or self.early_ends >= MAX_EARLY_ENDS:
            return f"The {self.program.name} cannot be started (exit code {exit_code})."
        return None


@dataclass
class Supervisor:
    """`print_line` gets what a person should know."""

    print_line: Callable[[str], None]
    _running: list[Running] = field(default_factory=list)

    def start(self, program: Program) -> None:
        self._running.append(Running(program))
        self._running[-1].start()

    def watch(self) -> str | None:
        """Start again what has ended. A sentence about a program that cannot be started."""
        for running in self._running:
            if running.process is None:
                if time.monotonic() >= running.restart_at:
                    running.start()
            elif (exit_code := running.process.poll()) is not None:
                if failure := running.note_end(exit_code):
                    return failure
                name = running.program.name
                self.print_line(f"The {name} has ended (exit code {exit_code}). It is started again.")
        return None

    def are_ready(self) -> bool:
        return all(running.process and running.program.is_ready() for running in self._running)

    def stop(self, seconds: float, is_forced: Callable[[], bool]) -> None:
        """Terminate in reverse order; after `seconds`, or when forced, kill what is left."""
        end = time.monotonic() + seconds
        processes = [running.process for running in self._running if running.process]
        for process in reversed(processes):
            if process.poll() is None:
                process.terminate()
            while process.poll() is None and time.monotonic() < end and not is_forced():
                time.sleep(0.05)
        for process in processes:
            _kill_session(process)


def run(plan: Plan, stop: StopRequest, print_line: Callable[[str], None]) -> str | None:
    """Until a stop is requested, or a program cannot be started: a sentence."""
    supervisor = Supervisor(print_line)
    try:
        return _start(plan, supervisor, stop) or _wait(lambda: False, float("inf"), supervisor, stop)
    finally:
        print_line("Stopping after the running task. Press Ctrl-C again to stop at once.")
        supervisor.stop(STOP_TIMEOUT_SECONDS, is_forced=lambda: stop.requests > 1)


def _start(plan: Plan, supervisor: Supervisor, stop: StopRequest) -> str | None:
    for program in plan.programs:
        if stop.requests:
            return None
        supervisor.start(program)
        if program.needed_by_next and (
            failure := _wait(program.is_ready, START_TIMEOUT_SECONDS, supervisor, stop)
        ):
            return failure
    if failure := _wait(supervisor.are_ready, START_TIMEOUT_SECONDS, supervisor, stop):
        return failure
    if not stop.requests:
        print_line = supervisor.print_line
        print_line(plan.opened)
    return None


def _wait(ready: Callable[[], bool], seconds: float, supervisor: Supervisor, stop: StopRequest) -> str | None:
    end = time.monotonic() + seconds
    while not stop.requests:
        if failure := supervisor.watch():
            return failure
        if ready():
            return None
        if time.monotonic() > end:
            return "Startup timed out."
        time.sleep(STEP_SECONDS)
    return None


def die_with_parent() -> None:
    """Called in a new child: the kernel ends it when its parent is gone, for whatever reason (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    # With the children of the process, whether or not it had time to stop them.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def become_supervisor(plan: Plan) -> None:
    """This process, with its id, goes on as the supervisor. A stop signal meanwhile is not lost."""
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    with os.fdopen(write_end, "w") as pipe:
        pipe.write(plan.to_json())  # far less than a pipe holds
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-u", __file__, str(read_end)])  # noqa: S606


def main() -> int:
    stop = StopRequest()
    with os.fdopen(int(sys.argv[1])) as pipe:
        plan = Plan.from_json(pipe.read())
    failure = run(plan, stop, lambda text: print(text, flush=True))  # noqa: T201
    print(f"{failure} Everything else was stopped." if failure else "Exchange Desk has stopped.")  # noqa: T201
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
