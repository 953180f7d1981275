"""The processes of an installation: addresses, command lines, and a supervisor that stops them together."""

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

from exchange.core.hosts import reachable_host

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Counts Ctrl-C and stop signals; nothing else happens inside the handler."""

    def __init__(self) -> None:
        self.requests = 0
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requests += 1


class Supervisor:
    """Starts processes and stops them together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """In its own session, so that Ctrl-C reaches only this process, which stops them in order."""
        self._running[name] = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
        )

    def first_exited(self) -> str | None:
        """A sentence about the first process that has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"The {name} has ended (exit code {process.returncode})."
        return None

    def stop(self, seconds: float, is_forced: Callable[[], bool]) -> None:
        """Terminate in reverse order; after `seconds`, or when forced, kill what is left."""
        end = time.monotonic() + seconds
        for name in reversed(self._running):
            process = self._running[name]
            if process.poll() is None:
                process.terminate()
            while process.poll() is None and time.monotonic() < end and not is_forced():
                time.sleep(0.05)
        for process in self._running.values():
            _kill_session(process)


def has_simulator() -> bool:
    return bool(settings.ENVIRONMENT == "DRY_RUN")


def listen_addresses() -> list[tuple[str, str, int]]:
    """Setting, host and port of each server started here."""
    web = ("PORT", settings.HOST, settings.PORT)
    if not has_simulator():
        return [web]
    return [
        web,
        ("CRYPTO_COM_REST_URL", *simulator_address()),
        ("CRYPTO_COM_WS_USER_URL", *stream_address()),
    ]


def simulator_address() -> tuple[str, int]:
    return _host_and_port(settings.CRYPTO_COM_REST_URL)


def stream_address() -> tuple[str, int]:
    return _host_and_port(settings.CRYPTO_COM_WS_USER_URL)


def _host_and_port(address: str) -> tuple[str, int]:
    url = urlsplit(address)
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
    port, stream_port = str(simulator_address()[1]), str(stream_address()[1])
    state = str(settings.VAR_DIR / "simulator.json")
    return manage_command("run_simulator", "--port", port, "--stream-port", stream_port, "--state", state)


def web_command() -> list[str]:
    return manage_command("run_web")


def worker_command() -> list[str]:
    return manage_command("run_worker")


def manage_command(*words: str) -> list[str]:
    return [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), *words, "--skip-checks"]


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
