"""`manage.py restore FILE`: a backup in place of the database."""

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error

from portfolio.backup import NotRestorable, backup_origin, backup_restore

WORD = "restore"


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
            self.stdout.write(f"{file} is the record of {backup_origin(file=file).words}.")
            if not options["yes"] and not _is_typed():
                raise CommandError("Nothing was changed.")
            kept = backup_restore(file=file, requested_by=_person(), replace_other=options["replace_other"])
        except (NotRestorable, OSError, Error) as error:
            raise CommandError(f"Nothing was restored: {error}") from None
        self.stdout.write("Restored. The first cycle reads what happened on the exchange since.")
        self.stdout.write("No API token works any more: make new ones with manage.py api_token create.")
        if kept is not None:
            self.stdout.write(f"What was here before is in {kept}")


def _is_typed() -> bool:
    try:
        return input(f"Type {WORD} to put it in place of what is here: ").strip() == WORD
    except EOFError:  # nobody is there to type
        return False


def _person() -> str:
    try:
        return f"{getpass.getuser()} at the command line"[:64]
    except (KeyError, OSError):  # a container may have no name for its user
        return "the command line"
