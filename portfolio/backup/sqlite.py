"""SQLite: the backup is a database file, copied by SQLite's own online backup."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, connections

from portfolio.backup.origin import EXCLUDED_TABLES, BackupOrigin, RestoreError

VENDOR = "sqlite"
MAGIC = b"SQLite format 3\0"
CONNECT_TIMEOUT_SECONDS = 20


def save(draft: Path) -> None:
    """In one step, so that writers can continue (WAL) and the copy is one snapshot."""
    with closing(_open(_database_path(), "ro")) as source, closing(_open(str(draft), "rw")) as target:
        source.backup(target)
        for table in EXCLUDED_TABLES:
            target.execute(f"DELETE FROM {table}")  # noqa: S608
        target.commit()
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a write-ahead log
        target.execute("VACUUM")


def is_ours(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def origin(file: Path) -> BackupOrigin:
    try:
        with closing(_open(str(file), "ro")) as found:
            if found.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise RestoreError(f"{file} is damaged.")
            bound = found.execute("SELECT environment, account_uuid FROM exchange_accountbinding").fetchone()
            applied = found.execute("SELECT app, name FROM django_migrations").fetchall()
    except sqlite3.DatabaseError as error:
        raise RestoreError(f"{file} is not a backup of Exchange Desk ({error}).") from None
    environment, account = bound or ("", "")
    return BackupOrigin(
        vendor=VENDOR, environment=environment, account=account, migrations=frozenset(applied)
    )


def load(file: Path) -> None:
    """All pages in one SQLite transaction: readers see the old database or the new one."""
    connections.close_all()
    with closing(_open(str(file), "ro")) as source, closing(_open(_database_path(), "rwc")) as target:
        source.backup(target)


def _database_path() -> str:
    name: Any = connection.settings_dict["NAME"]
    return str(name)


def _open(path: str, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={mode}", uri=True, timeout=CONNECT_TIMEOUT_SECONDS
    )
