"""`manage.py restore FILE`: a backup in place of the database."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error

from portfolio.backup import RestoreError, backup_origin, backup_restore

CONFIRM_WORD = "restore"


class Command(BaseCommand):
    help = "Put a backup in place of the database. Stop the desk first. What was there is kept in a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--replace-other",
            action="store_true",
            help="also over the record of another account or environment",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            self.stdout.write(f"{file} is the record of {backup_origin(file=file).description}.")
            if not options["yes"] and not _is_confirmed():
                raise CommandError("Nothing was changed.")
            previous_backup = backup_restore(
                file=file, requested_by=_current_user(), replace_other=options["replace_other"]
            )
        except (RestoreError, OSError, Error) as error:
            raise CommandError(f"Nothing was restored: {error}") from None
        self.stdout.write("Restored. The first cycle reads what happened on the exchange since.")
        self.stdout.write("No API token works any more: make new ones with manage.py api_token create.")
        if previous_backup is not None:
            self.stdout.write(f"What was here before is in {previous_backup}")


def _is_confirmed() -> bool:
    try:
        return input(f"Type {CONFIRM_WORD} to put it in place of what is here: ").strip() == CONFIRM_WORD
    except EOFError:  # nobody is there to type
        return False


def _current_user() -> str:
    try:
        return f"{getpass.getuser()} at the command line"[:64]
    except (KeyError, OSError):  # a container may have no name for its user
        return "the command line"
