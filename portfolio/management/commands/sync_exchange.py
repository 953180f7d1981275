"""`manage.py sync_exchange`: one sync cycle now, in this process."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.error_texts import render_errors
from exchange.models import SyncRun
from exchange.selectors import key_refused_code
from exchange.services.lease import lease_holder
from portfolio.worker.runner import COMMAND_TRIGGER, sync_run

BUSY = 3
COUNT_FIELDS = ("balances", "open_orders", "executed_orders", "trades", "groups_created", "groups_closed")


class Command(BaseCommand):
    help = "Run one sync cycle now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        run = sync_run(trigger=COMMAND_TRIGGER)
        if run is None:
            raise CommandError(
                f"Another cycle is running ({lease_holder() or 'just finished'}). Try again in a minute.",
                returncode=BUSY,
            )
        self._print_json(run) if options["json"] else self._print_lines(run)
        if run.status == SyncRun.Status.FAILED or key_refused_code(run) is not None:
            sys.exit(1)

    def _print_json(self, run: SyncRun) -> None:
        counts = {name: None if name in run.unread else getattr(run, name) for name in COUNT_FIELDS}
        numbers = {**counts, "requests": run.requests, "duration_ms": run.duration_ms}
        self.stdout.write(json.dumps({**numbers, "errors": run.errors}))

    def _print_lines(self, run: SyncRun) -> None:
        if run.status != SyncRun.Status.FAILED:
            if run.status == SyncRun.Status.PARTIAL:
                self.stdout.write(f"PARTIAL: this cycle is incomplete (errors: {len(run.errors)}).")
            for name in COUNT_FIELDS:
                value = "not read" if name in run.unread else getattr(run, name)
                self.stdout.write(f"{name.replace('_', ' ')}: {value}")
            self.stdout.write(f"{run.requests} requests in {run.duration_ms} ms")
        for error in render_errors(run.errors, run.error_reasons):
            self.stderr.write(self.style.ERROR(error))
