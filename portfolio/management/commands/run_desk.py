"""`manage.py run_desk` runs everything in one terminal: simulator (in a dry run), web and worker."""

import socket
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from portfolio.worker import processes
from portfolio.worker.processes import StopRequest, Supervisor

START_SECONDS = 60
STOP_SECONDS = 25  # time for a cycle at work to end; one that is cut off is picked up by the next


class Command(BaseCommand):
    help = "Create what is missing, then run simulator (dry run only), web and worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        for setting, host, port in processes.addresses():
            _refuse_if_taken(setting, host, port)
        desk = Desk(tell=self._tell)
        call_command("setup", stdout=self.stdout)
        self.stdout.flush()  # the programs write past this buffer
        try:
            trouble = desk.run()
        finally:
            desk.stop()
        if trouble:
            raise CommandError(f"{trouble} Everything else was stopped.")
        self._tell("Exchange Desk has stopped.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class Desk:
    """The parts in their order, and the wait for whatever ends them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._stop = StopRequest()
        self._parts = Supervisor()

    def run(self) -> str | None:
        """What went wrong, or None when we were asked to stop."""
        return self._start() or self._until(lambda: False, seconds=float("inf"))

    def stop(self) -> None:
        self._tell("Stopping; a task at work is finished first. Ctrl-C again does not wait.")
        self._parts.stop(STOP_SECONDS, hurry=lambda: self._stop.asked > 1)

    def _start(self) -> str | None:
        """The simulator first: the worker asks it at once."""
        if processes.has_simulator():
            self._parts.start("simulator", processes.simulator_command())
            if trouble := self._until(processes.simulator_listens):
                return trouble
        if not self._stop.asked:
            self._parts.start("web", processes.web_command())
            self._parts.start("worker", processes.worker_command())
        if trouble := self._until(processes.page_answers):
            return trouble
        if not self._stop.asked:
            self._tell(f"Exchange Desk ({_mode()}) is open: {processes.page_url()}   Ctrl-C stops it.")
        return None

    def _until(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> str | None:
        end = time.monotonic() + seconds
        while not self._stop.asked:
            if trouble := self._parts.ended():
                return trouble
            if ready():
                return None
            if time.monotonic() > end:
                return "The start took too long."
            time.sleep(0.1)
        return None


def _mode() -> str:
    return settings.ENVIRONMENT if settings.TRADING_ENABLED else f"{settings.ENVIRONMENT}, READ_ONLY"


def _refuse_if_taken(setting: str, host: str, port: int) -> None:
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
