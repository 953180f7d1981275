"""`manage.py setup` creates what is missing: database, static files, schedules, and the first user."""

import os
import secrets
from argparse import ArgumentParser
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, call_command
from django.utils import timezone

from exchange.services.permissions import groups_create_missing
from portfolio.checks import START_TAGS
from portfolio.signals.watchlist import watchlist_create_default
from portfolio.status.startup import PASSWORD_FILE
from portfolio.worker.database import database_create_missing
from portfolio.worker.schedule import schedules_create_missing

ADMIN = "admin"
STATIC_STAMP = "static.stamp"
UNUSED_STATIC = ["redoc"]  # the API documentation uses Swagger UI


class Command(BaseCommand):
    help = "Create what is missing: database, static files, schedules, first user. Safe to run again."
    requires_system_checks = START_TAGS

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-static", action="store_true", help="do not collect static files")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        if database_create_missing():
            self.stdout.write(f"Created the database {settings.DATABASES['default']['NAME']}.")
        call_command("migrate", interactive=False, verbosity=0)
        _make_private(Path(settings.DATABASES["default"]["NAME"]))
        if not options["no_static"]:
            _collect_static()
        for name in schedules_create_missing(now=timezone.now()):
            self.stdout.write(f"Created the schedule “{name}”.")
        if names := watchlist_create_default(now=timezone.now()):
            self.stdout.write(f"Added to the watchlist: {', '.join(names)}")
        if viewers := groups_create_missing():
            self.stdout.write(
                "Rights are given by the groups viewer, trader and owner. These users may look only until an owner "
                f"changes that in the admin: {', '.join(viewers)}"
            )
        self._first_user()

    def _first_user(self) -> None:
        if User.objects.filter(is_superuser=True).exists():
            return
        if settings.ENVIRONMENT == "LIVE":
            self.stdout.write("No user yet: create one with  manage.py createsuperuser")
            return
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(ADMIN, password=password)
        self._show_password(password)

    def _show_password(self, password: str) -> None:
        # On a terminal, else in a file that only its owner can read; never in a log.
        if self.stdout.isatty():
            self.stdout.write(f"Log in as {ADMIN} with the password  {password}  (shown only once)")
            return
        file = settings.VAR_DIR / PASSWORD_FILE
        _write_private(file, password + "\n")
        self.stdout.write(f"The password of the user {ADMIN} is in {file}")


def _collect_static() -> None:
    """Nothing at all when the files are those of the last time: to hash and compress them takes seconds."""
    stamp_file, stamp = settings.VAR_DIR / STATIC_STAMP, _static_stamp()
    collected = settings.STATIC_ROOT / "staticfiles.json"
    if collected.is_file() and stamp_file.is_file() and stamp_file.read_text() == stamp:
        return
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED_STATIC)
    stamp_file.write_text(stamp)


def _static_stamp() -> str:
    """Changes with every file that would be collected."""
    digest = sha256(settings.VERSION.encode())
    for finder in get_finders():
        for path, storage in finder.list(UNUSED_STATIC):
            status = os.stat(storage.path(path))
            digest.update(f"{storage.path(path)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _make_private(database: Path) -> None:
    # Files of an earlier version; new ones are private from the beginning.
    for file in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
        if file.is_file():
            file.chmod(0o600)


def _write_private(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
