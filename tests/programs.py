"""Runs `manage.py` commands as a user does: in a process with its own settings."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

ROOT = Path(__file__).parent.parent
MOST_SECONDS = 120


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(ready, seconds=MOST_SECONDS, why=lambda: "it did not happen in time"):
    """Wait for `ready()`, long enough for a slow machine under load; fail with the text of `why()`."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, why()
        time.sleep(0.02)


class Installation:
    """One installation: its directory, ports and environment."""

    def __init__(self, directory, **values):
        self.directory = directory
        self.programs = []
        self.port, self.exchange_port, self.stream_port = free_port(), free_port(), free_port()
        self.environment = {
            "PATH": os.defpath,
            "ENV_FILE": os.devnull,
            "VAR_DIR": str(directory),
            "PORT": str(self.port),
            "CRYPTO_COM_REST_URL": f"http://127.0.0.1:{self.exchange_port}/exchange/v1",
            "CRYPTO_COM_WS_USER_URL": f"ws://127.0.0.1:{self.stream_port}/exchange/v1/user",
            **values,
        }

    @contextlib.contextmanager
    def database(self):
        """A direct connection to the installation's database. Nothing is committed automatically."""
        address = self.environment.get("DATABASE_URL")
        file = self.directory / "dry_run.sqlite3"
        connection = psycopg2.connect(address) if address else sqlite3.connect(file, timeout=20)
        with contextlib.closing(connection):
            yield connection

    def rows(self, sql):
        with self.database() as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()

    def write(self, *statements):
        with self.database() as connection:
            for sql in statements:
                connection.cursor().execute(sql)
            connection.commit()

    def start(self, *words):
        self.programs.append(Program(self, *words))
        return self.programs[-1]

    def clear(self):
        """Kill all programs of this installation."""
        for program in self.programs:
            program.kill()

    def run(self, *words):
        """Run a command to its end; (exit code, output)."""
        program = self.start(*words)
        return program.wait(), program.text()


class Program:
    def __init__(self, installation, *words):
        self.file = installation.directory / f"{words[0]}-{len(installation.programs)}.log"
        with self.file.open("w") as out:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=ROOT,
                env=installation.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def text(self):
        return self.file.read_text()

    def is_running(self):
        return self._process.poll() is None

    def wait_until(self, ready):
        def is_ready():
            reached = ready()
            assert reached or self.is_running(), self.text()
            return reached

        wait_until(is_ready, why=self.text)

    def wait_for_text(self, words):
        self.wait_until(lambda: words in self.text())

    def stop(self, number=signal.SIGTERM):
        """Send the signal and wait; the exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self):
        return self._process.wait(timeout=MOST_SECONDS)

    def kill_group(self):
        """SIGKILL to all of its processes at once, like a power cut."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def kill(self):
        """Its children end with it (the kernel's parent death signal)."""
        self._process.kill()
        self._process.wait()


def children(pid):
    """The child processes (Linux only)."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def descendants(pid):
    return [one for child in children(pid) for one in (child, *descendants(child))]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
