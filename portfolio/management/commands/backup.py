"""`manage.py backup FILE`: a snapshot of the database in one file, while everything runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import Error

from exchange.core.database import database_problem
from portfolio.backup import backup_create


class Command(BaseCommand):
    help = "Write the database into a new file that only its owner can read. No need to stop Exchange Desk."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backup_create(file=file)
        except (OSError, Error) as error:
            raise CommandError(f"Backup failed: {database_problem(error) or error}") from None
        self.stdout.write(
            f"{file} contains the database ({file.stat().st_size:,} bytes). Store .env separately."
        )
