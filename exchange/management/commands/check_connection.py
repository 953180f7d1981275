"""`manage.py check_connection`: is the exchange there, and what may this key do?"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from exchange.client.client import Client, client_from_settings
from exchange.client.diagnostics import run_diagnostics
from exchange.services.lease import CHECK_PURPOSE, lease_try

SYMBOLS = {True: "✓", False: "✗", None: "?"}
LEASE_WAIT_S = 10.0  # a cycle takes about a second; one that hangs is a reason to check the connection


class Command(BaseCommand):
    help = "Check address, clock, key, balance, orders of both name spaces and IP refusal; sends no order."

    def handle(self, *args: Any, **options: Any) -> None:
        tail = settings.CRYPTO_COM_API_KEY[-4:]
        self.stdout.write(f"{settings.ENVIRONMENT} with the key that ends in {tail}")
        failed = False
        client = client_from_settings()
        for step in run_diagnostics(client, turn=lambda: _turn(client)):
            self.stdout.write(f"{SYMBOLS[step.passed]} {step.name}: {step.text}")
            failed = failed or step.passed is False
        if failed:
            sys.exit(1)


@contextmanager
def _turn(client: Client) -> Iterator[None]:
    """The limits are those of the key: not while the worker reads, where that can be known (dossier 4)."""
    with lease_try(CHECK_PURPOSE, seconds=LEASE_WAIT_S) as lease:
        client.assume_idle(lease.idle_ms)
        yield
