"""`manage.py restore FILE`: replaces the database with a backup."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error

from exchange.core.database import database_problem
from portfolio.backup import RestoreError, backup_origin, backup_restore

CONFIRM_WORD = "restore"


class Command(BaseCommand):
    help = (
        "Replace the database with a backup. Stop Exchange Desk first. The current database is saved to a file; "
        "a damaged one is moved aside."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        parser.add_argument(
            "--replace-other",
            action="store_true",
            help="even if the database belongs to another account or environment",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            self.stdout.write(f"{file} belongs to {backup_origin(file=file).description}.")
            if not options["yes"] and not _is_confirmed():
                raise CommandError("Cancelled; nothing was changed.")
            backup_restore(
                file=file,
                requested_by=_current_user(),
                replace_other=options["replace_other"],
                say=self.stdout.write,
            )
        except (RestoreError, OSError, Error) as error:
            raise CommandError(f"Restore failed: {database_problem(error) or error}") from None
        self.stdout.write("Restored. The first cycle fetches what has happened on the exchange since.")
        self.stdout.write("All API tokens were revoked: create new ones with manage.py api_token create.")


def _is_confirmed() -> bool:
    try:
        return input(f"Type {CONFIRM_WORD} to replace the database: ").strip() == CONFIRM_WORD
    except EOFError:  # no terminal
        return False


def _current_user() -> str:
    try:
        return f"{getpass.getuser()} at the command line"[:64]
    except (KeyError, OSError):  # the user of a container may have no name
        return "the command line"
