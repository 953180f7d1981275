"""Writes a backup, completely or not at all, and restores one after all checks have passed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

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


def backup_create(*, file: Path) -> None:
    """Write one snapshot of the database into `file` while everything runs. Raises OSError."""
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


def backup_restore(*, file: Path, requested_by: str, replace_other: bool) -> Path | None:
    """Replace the database with `file`; returns the backup of what was replaced. Raises RestoreError, OSError.

    A kill switch that is on stays on. All API tokens are revoked: one may have been revoked since the backup. Sessions
    and tasks of the backup are dropped, and schedules are made anew. A lease token is never issued twice, so a process
    that slept through the restore has a stale one.
    """
    origin, here = backup_origin(file=file), current_origin()
    _check(origin, here, replace_other)
    token, was_off = _take_lease() if here else (0, False)
    previous_backup = _backup_current() if here else None
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
    return previous_backup


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


def _check(origin: BackupOrigin, here: BackupOrigin | None, replace_other: bool) -> None:
    if origin.vendor != connection.vendor:
        raise RestoreError(
            f"This is a backup of {origin.vendor}, but the database here is {connection.vendor}."
        )
    if origin.migrations - set(MigrationLoader(None).disk_migrations):
        raise RestoreError("This backup was made by a newer version: upgrade the program first.")
    if replace_other:
        return
    if origin.environment not in ("", settings.ENVIRONMENT):
        raise RestoreError(
            f"This backup belongs to {origin.description}, but ENVIRONMENT is {settings.ENVIRONMENT}."
        )
    if here and not origin.is_same_account(here):
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
    place = settings.VAR_DIR / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    file: Path = place / f"before-restore-{timezone.now():%Y%m%d-%H%M%S-%f}"
    backup_create(file=file)
    return file


def _clear_excluded_tables() -> None:
    with connection.cursor() as cursor:
        for table in EXCLUDED_TABLES:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def _reset_lease(*, token: int) -> None:
    lease, _ = Lease.objects.get_or_create(name=LEASE_NAME, defaults={"expires_at": timezone.now()})
    lease.token, lease.holder, lease.expires_at = max(lease.token, token) + 1, "", timezone.now()
    lease.save()
