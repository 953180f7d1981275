"""`manage.py check_connection`: is the exchange there, and what may this key do?"""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from exchange.client.client import client_from_settings
from exchange.client.diagnostics import run_diagnostics

SYMBOLS = {True: "✓", False: "✗", None: "?"}


class Command(BaseCommand):
    help = "Check address, clock, key, balance, orders of both name spaces and IP refusal; sends no order."

    def handle(self, *args: Any, **options: Any) -> None:
        tail = settings.CRYPTO_COM_API_KEY[-4:]
        self.stdout.write(f"{settings.ENVIRONMENT} with the key that ends in {tail}")
        failed = False
        for step in run_diagnostics(client_from_settings()):
            self.stdout.write(f"{SYMBOLS[step.passed]} {step.name}: {step.text}")
            failed = failed or step.passed is False
        if failed:
            sys.exit(1)
