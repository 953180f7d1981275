"""SQLite: the backup is a database file, copied by SQLite's own online backup."""

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, connections

from portfolio.backup.origin import EXCLUDED_TABLES, BackupOrigin, RestoreError

VENDOR = "sqlite"
MAGIC = b"SQLite format 3\0"
CONNECT_TIMEOUT_SECONDS = 20
COMPANIONS = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database


def save(draft: Path) -> None:
    """In one step, so that writers can continue (WAL) and the copy is one snapshot. Raises OSError, django.db.Error."""
    try:
        with connection.wrap_database_errors:
            _copy_into(draft)
    except OperationalError as error:
        if "disk is full" not in str(error):
            raise
        full = errno.ENOSPC  # of the backup: the database is only read
        raise OSError(full, os.strerror(full), str(draft.parent)) from None
    finally:
        for file in _companions(draft):
            file.unlink(missing_ok=True)


def _copy_into(draft: Path) -> None:
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
    """All pages in one SQLite transaction: readers see the old database or the new one. Raises django.db.Error."""
    connections.close_all()
    with (
        connection.wrap_database_errors,
        closing(_open(str(file), "ro")) as source,
        closing(_open(_database_path(), "rwc")) as target,
    ):
        source.backup(target)


def set_aside(file: Path) -> None:
    """Move the database, with all that SQLite keeps beside it, to `file`. Raises OSError."""
    connections.close_all()
    database = Path(_database_path())
    # The database is last: without one, the next that opens it deletes what an old one left.
    for old, new in zip((*_companions(database), database), (*_companions(file), file), strict=True):
        if old.exists():
            shutil.move(old, new)


def _companions(database: Path) -> list[Path]:
    return [database.with_name(f"{database.name}{end}") for end in COMPANIONS]


def _database_path() -> str:
    name: Any = connection.settings_dict["NAME"]
    return str(name)


def _open(path: str, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={mode}", uri=True, timeout=CONNECT_TIMEOUT_SECONDS
    )
