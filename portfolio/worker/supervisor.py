"""Starts programs, watches them, and lets none of them outlive the others or us."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

PR_SET_PDEATHSIG = 1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def die_with_parent() -> None:
    """Called in a fresh child: the kernel ends it when its parent is gone, however that happened (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class StopRequest:
    """Becomes `asked` when Ctrl-C or a stop signal arrives; nothing else happens inside the handler."""

    def __init__(self) -> None:
        self.asked = 0
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup is respected
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1


class Supervisor:
    """A handful of programs that live and end together."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """In a session of its own, so that Ctrl-C reaches only us and we end them in order."""
        self._running[name] = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
        )

    def ended(self) -> str | None:
        """A sentence about the first program that is no longer there."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"The {name} has ended (exit code {process.returncode})."
        return None

    def stop(self, seconds: float, hurry: Callable[[], bool]) -> None:
        """Asks the leaders to end, last one first; after `seconds`, or in a hurry, ends all that is left."""
        end = time.monotonic() + seconds
        for name in reversed(self._running):
            process = self._running[name]
            if process.poll() is None:
                process.terminate()
            while process.poll() is None and time.monotonic() < end and not hurry():
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
