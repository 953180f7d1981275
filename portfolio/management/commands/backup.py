"""`manage.py backup FILE`: everything of this moment in one file, while the desk runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from portfolio.backup import backup_create


class Command(BaseCommand):
    help = "Write the whole database into one new file that only its owner can read. The desk may go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backup_create(file=file)
        except OSError as error:
            raise CommandError(f"No backup was made: {error}") from None
        self.stdout.write(
            f"{file} holds the database ({file.stat().st_size:,} bytes). Keep .env apart from it."
        )
