"""`manage.py run_simulator`: the simulated exchange alone, on loopback, until interrupted."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.simulator.program import CannotStart, add_arguments, run


class Command(BaseCommand):
    help = "Run the simulated exchange on this machine, with its state in a file."

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser, state=settings.VAR_DIR / "simulator.json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run(options, print_line=self._print_line)
        except CannotStart as error:
            raise CommandError(str(error)) from error

    def _print_line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
