"""The programs of the desk: where each listens, and the command line that starts it.

Starts programs, watches them, and lets none of them outlive the others or us.
"""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType
from urllib.parse import urlsplit

from django.conf import settings

from portfolio.status.address import bracket_ipv6, reachable_host

GUNICORN = "--workers 1 --worker-class gthread --threads 8 --graceful-timeout 5 --no-control-socket"


def has_simulator() -> bool:
    return bool(settings.ENVIRONMENT == "DRY_RUN")


def listen_addresses() -> list[tuple[str, str, int]]:
    """Setting, host and port of each server that is started here."""
    web = ("PORT", settings.HOST, settings.PORT)
    return [web, ("CRYPTO_COM_REST_URL", *simulator_address())] if has_simulator() else [web]


def simulator_address() -> tuple[str, int]:
    url = urlsplit(settings.CRYPTO_COM_REST_URL)
    return url.hostname or "127.0.0.1", url.port or 80


def is_simulator_ready() -> bool:
    try:
        socket.create_connection(simulator_address(), timeout=1).close()
    except OSError:
        return False
    return True


def is_web_ready() -> bool:
    page = http.client.HTTPConnection(reachable_host(settings.HOST), settings.PORT, timeout=5)
    try:
        page.request("GET", "/")
        page.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        page.close()
    return True


def simulator_command() -> list[str]:
    port, state = str(simulator_address()[1]), str(settings.VAR_DIR / "simulator.json")
    return manage_command("run_simulator", "--port", port, "--state", state)


def web_command() -> list[str]:
    where = ["--bind", f"{bracket_ipv6(settings.HOST)}:{settings.PORT}"]
    return [sys.executable, "-m", "gunicorn", "config.wsgi", *where, *GUNICORN.split(), *_log_options()]


def _log_options() -> list[str]:
    """Gunicorn's master does not know our formats: where lines are JSON it keeps to what is wrong."""
    return ["--log-level", "warning"] if settings.LOG_FORMAT == "json" else []


def worker_command() -> list[str]:
    return manage_command("run_worker")


def manage_command(*words: str) -> list[str]:
    return [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), *words, "--skip-checks"]


PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def die_with_parent() -> None:
    """Called in a fresh child: the kernel ends it when its parent is gone, however that happened (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class StopRequest:
    """Becomes `asked` when Ctrl-C or a stop signal arrives; nothing else happens inside the handler."""

    def __init__(self) -> None:
        self.requests = 0
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1


class Supervisor:
    """A handful of programs that live and end together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """In a session of its own, so that Ctrl-C reaches only us and we end them in order."""
        self._running[name] = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
        )

    def first_exited(self) -> str | None:
        """A sentence about the first program that is no longer there."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"The {name} has ended (exit code {process.returncode})."
        return None

    def stop(self, seconds: float, is_forced: Callable[[], bool]) -> None:
        """Asks the leaders to end, last one first; after `seconds`, or in a hurry, ends all that is left."""
        end = time.monotonic() + seconds
        for name in reversed(self._running):
            process = self._running[name]
            if process.poll() is None:
                process.terminate()
            while process.poll() is None and time.monotonic() < end and not is_forced():
                time.sleep(0.05)
        for process in self._running.values():
            _kill_session(process)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    """The whole session: the leader's own children too, whether or not it had time to end them."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
