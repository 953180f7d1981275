"""`manage.py run_desk` runs everything in one terminal: simulator (in a dry run), web and worker."""

import socket
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from portfolio.status.address import local_url
from portfolio.worker import processes
from portfolio.worker.processes import StopRequest, Supervisor

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 25  # time for a cycle at work to end; one that is cut off is picked up by the next


class Command(BaseCommand):
    help = "Create what is missing, then run simulator (dry run only), web and worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        for setting, host, port in processes.listen_addresses():
            _check_port_is_free(setting, host, port)
        runner = DeskRunner(print_line=self._print_line)
        call_command("setup", stdout=self.stdout)
        self.stdout.flush()  # the programs write past this buffer
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
    """The parts in their order, and the wait for whatever ends them."""

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print_line = print_line
        self._stop = StopRequest()
        self._supervisor = Supervisor()

    def run(self) -> str | None:
        """What went wrong, or None when we were asked to stop."""
        return self._start() or self._wait_until(lambda: False, seconds=float("inf"))

    def stop(self) -> None:
        self._print_line("Stopping; a task at work is finished first. Ctrl-C again does not wait.")
        self._supervisor.stop(STOP_TIMEOUT_SECONDS, is_forced=lambda: self._stop.requests > 1)

    def _start(self) -> str | None:
        """The simulator first: the worker asks it at once."""
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
            self._print_line(f"Exchange Desk ({_mode()}) is open: {local_url()}   Ctrl-C stops it.")
        return None

    def _wait_until(self, ready: Callable[[], bool], seconds: float = START_TIMEOUT_SECONDS) -> str | None:
        end = time.monotonic() + seconds
        while not self._stop.requests:
            if failure := self._supervisor.first_exited():
                return failure
            if ready():
                return None
            if time.monotonic() > end:
                return "The start took too long."
            time.sleep(0.1)
        return None


def _mode() -> str:
    return settings.ENVIRONMENT if settings.TRADING_ENABLED else f"{settings.ENVIRONMENT}, READ_ONLY"


def _check_port_is_free(setting: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host} port {port} ({error.strerror}). Is the desk running already? "
                f"Stop it, or choose another with {setting} in .env. Nothing was started."
            ) from None
