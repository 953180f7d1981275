"""Writes a backup, completely or not at all, and restores one after all checks have passed."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from exchange.core.database import database_sentence
from exchange.core.reasons import Problem
from exchange.models import AuditEntry, Lease
from exchange.selectors import worker_last_beat
from exchange.services.audit_log import audit_record
from exchange.services.lease import LEASE_NAME, lease_holder, lease_take
from oco.services.kill_switch import stop_trading, trading_is_stopped
from portfolio.backup import postgres, sqlite
from portfolio.backup.origin import EXCLUDED_TABLES, BackupOrigin, RestoreError, current_origin
from portfolio.models import ApiToken
from portfolio.security.authentication import token_revoke
from portfolio.status.sync_status import SILENT_AFTER_SECONDS
from portfolio.worker.schedule import schedules_create_missing

HEARTBEAT_WAIT_SECONDS = 12  # the worker beats every 5 s
UNUSABLE = (Problem.DATABASE_DAMAGED, Problem.DATABASE_EMPTY)


def backup_create(*, file: Path) -> None:
    """Write one snapshot of the database into `file` while everything runs. Raises OSError, django.db.Error."""
    if file.exists():
        raise FileExistsError(f"{file} already exists.")
    if not file.parent.is_dir():
        raise FileNotFoundError(f"The folder {file.parent} does not exist.")
    with _private_draft(file) as draft:
        (sqlite if connection.vendor == "sqlite" else postgres).save(draft)


def backup_origin(*, file: Path) -> BackupOrigin:
    """Which account it belongs to. Raises RestoreError, OSError."""
    if sqlite.is_ours(file):
        return sqlite.origin(file)
    if postgres.is_ours(file):
        return postgres.origin(file)
    raise RestoreError(f"{file} is not a backup of Exchange Desk.")


def backup_restore(
    *, file: Path, requested_by: str, replace_other: bool, say: Callable[[str], object]
) -> None:
    """Replace the database with `file`; `say` is told where the replaced one is. Raises RestoreError, OSError, Error.

    A kill switch that is on stays on. All API tokens are revoked: one may have been revoked since the backup. Sessions
    and tasks of the backup are dropped, and schedules are made anew. A lease token is never issued twice, so a process
    that slept through the restore has a stale one.
    """
    origin = backup_origin(file=file)
    _check(origin, replace_other)
    token, was_off = _make_way(origin, replace_other, say)
    (sqlite if origin.vendor == sqlite.VENDOR else postgres).load(file)
    call_command("migrate", interactive=False, verbosity=0)
    _clear_excluded_tables()
    schedules_create_missing(now=timezone.now())
    _reset_lease(token=token)
    for known in ApiToken.objects.all():  # one revoked since the backup would work again
        token_revoke(token=known, revoked_by=requested_by)
    if was_off:
        stop_trading(
            changed_by=requested_by, now=timezone.now(), reason="It was on before a backup was restored."
        )
    audit_record(
        actor=requested_by, what=AuditEntry.Action.RESTORE, text=f"{file.name}: {origin.description}"
    )


@contextmanager
def _private_draft(file: Path) -> Iterator[Path]:
    # A temporary file in the same folder, mode 0600 from its first byte; it gets its name when it is complete and
    # on disk.
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _check(origin: BackupOrigin, replace_other: bool) -> None:
    if origin.vendor != connection.vendor:
        raise RestoreError(
            f"This is a backup of {origin.vendor}, but the database here is {connection.vendor}."
        )
    if origin.migrations - set(MigrationLoader(None).disk_migrations):
        raise RestoreError("This backup was made by a newer version: upgrade the program first.")
    if not replace_other and origin.environment not in ("", settings.ENVIRONMENT):
        raise RestoreError(
            f"This backup belongs to {origin.description}, but ENVIRONMENT is {settings.ENVIRONMENT}."
        )


def _make_way(origin: BackupOrigin, replace_other: bool, say: Callable[[str], object]) -> tuple[int, bool]:
    # As `_take_lease`. A database that is damaged or incomplete cannot be asked for anything: it is moved aside.
    token, was_off = 0, False
    try:
        here = current_origin()
        if here is not None:
            _check_account(origin, here, replace_other)
            token, was_off = _take_lease()
            say(f"The previous database is in {_backup_current()}")
        elif connection.vendor == sqlite.VENDOR and connection.introspection.table_names():
            say(f"The previous database is not one of Exchange Desk. It was moved to {_set_aside()}")
    except Error as error:
        sentence = database_sentence(error)
        if connection.vendor != sqlite.VENDOR or sentence is None or sentence.reason.code not in UNUSABLE:
            raise
        say(f"The previous database cannot be used ({error}). It was moved to {_set_aside()}")
    return token, was_off


def _check_account(origin: BackupOrigin, here: BackupOrigin, replace_other: bool) -> None:
    if not replace_other and not origin.is_same_account(here):
        raise RestoreError(
            f"This backup belongs to {origin.description}, but this database to {here.description}."
        )


def _take_lease() -> tuple[int, bool]:
    # So that no cycle begins now: the lease token, and whether trading is off.
    if _is_worker_alive():
        raise RestoreError("A worker is running. Stop Exchange Desk and try again.")
    lease = lease_take(purpose="restore")
    if lease is None:
        raise RestoreError(
            f"Another process is working on the account ({lease_holder()}). Try again in a minute."
        )
    return lease.token, trading_is_stopped()


def _is_worker_alive() -> bool:
    # A worker that has just stopped has a recent heartbeat too, but adds none.
    last = worker_last_beat()
    if last is None or (timezone.now() - last).total_seconds() > SILENT_AFTER_SECONDS:
        return False
    end = time.monotonic() + HEARTBEAT_WAIT_SECONDS
    while worker_last_beat() == last:
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def _backup_current() -> Path:
    file = _place_for("before-restore-{time}")
    backup_create(file=file)
    return file


def _set_aside() -> Path:
    file = _place_for("damaged-{time}.sqlite3")
    sqlite.set_aside(file)
    return file


def _place_for(name: str) -> Path:
    place: Path = settings.VAR_DIR / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    return place / name.format(time=f"{timezone.now():%Y%m%d-%H%M%S-%f}")


def _clear_excluded_tables() -> None:
    with connection.cursor() as cursor:
        for table in EXCLUDED_TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def _reset_lease(*, token: int) -> None:
    lease, _ = Lease.objects.get_or_create(name=LEASE_NAME, defaults={"expires_at": timezone.now()})
    lease.token, lease.holder, lease.expires_at = max(lease.token, token) + 1, "", timezone.now()
    lease.save()
