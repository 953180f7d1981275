"""`manage.py run_desk` runs simulator (dry run only), web and worker in one terminal."""

import socket
import time
from collections.abc import Callable
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from portfolio.status.startup import startup_lines
from portfolio.worker import processes
from portfolio.worker.processes import StopRequest, Supervisor

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 25  # for a running cycle to finish; the next one continues an interrupted one


class Command(BaseCommand):
    help = "Create what is missing, then run simulator (dry run only), web and worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        for setting, host, port in processes.listen_addresses():
            _check_port_is_free(setting, host, port)
        runner = DeskRunner(print_line=self._print_line)
        call_command("setup", stdout=self.stdout)
        self.stdout.flush()  # the processes write without this buffer
        try:
            failure = runner.run()
        finally:
            runner.stop()
        if failure:
            raise CommandError(f"{failure} Everything else was stopped.")
        self._print_line("Exchange Desk has stopped.")

    def _print_line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class DeskRunner:
    """Starts the processes in order, and waits until one of them ends or a stop is requested."""

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print_line = print_line
        self._began = timezone.now()
        self._stop = StopRequest()
        self._supervisor = Supervisor()

    def run(self) -> str | None:
        """A failure, or None after a requested stop."""
        return self._start() or self._wait_until(lambda: False, seconds=float("inf"))

    def stop(self) -> None:
        self._print_line("Stopping after the running task. Press Ctrl-C again to stop at once.")
        self._supervisor.stop(STOP_TIMEOUT_SECONDS, is_forced=lambda: self._stop.requests > 1)

    def _start(self) -> str | None:
        # The simulator first: the worker needs it at once.
        if processes.has_simulator():
            self._supervisor.start("simulator", processes.simulator_command())
            if failure := self._wait_until(processes.is_simulator_ready):
                return failure
        if not self._stop.requests:
            self._supervisor.start("web", processes.web_command())
            self._supervisor.start("worker", processes.worker_command())
        if failure := self._wait_until(processes.is_web_ready):
            return failure
        if not self._stop.requests:
            self._print_line("\n".join(startup_lines(began=self._began)))
        return None

    def _wait_until(self, ready: Callable[[], bool], seconds: float = START_TIMEOUT_SECONDS) -> str | None:
        end = time.monotonic() + seconds
        while not self._stop.requests:
            if failure := self._supervisor.first_exited():
                return failure
            if ready():
                return None
            if time.monotonic() > end:
                return "Startup timed out."
            time.sleep(0.1)
        return None


def _check_port_is_free(setting: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host} port {port} ({error.strerror}). Is Exchange Desk already running? "
                f"Stop it, or set {setting} in .env to another port. Nothing was started."
            ) from None
