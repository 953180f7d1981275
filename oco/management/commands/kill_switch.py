"""`manage.py kill_switch on|off|status`: no new orders from any process, at once; with `--cancel-all` none at all."""

import getpass
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from django.utils import timezone

from exchange.client.client import Client, client_from_settings
from exchange.client.errors import ExchangeError
from exchange.services.kill_switch_file import file_name
from exchange.services.lease import OptionalLease, lease_try
from exchange.services.order_execution import create_blocked_reason
from oco.presentation.reasons import render_reason
from oco.services.kill_switch import (
    UnprotectedCoin,
    cancel_until_none_open,
    open_orders_read,
    release_all_groups,
    resume_trading,
    stop_trading,
    unprotected_after_cancel,
)
from oco.services.validation import NotPossible

CONFIRM_WORD = "cancel"
PURPOSE = "kill_switch"
LEASE_WAIT_S = 5.0  # a cycle takes about a second; then it goes on without the lease
REPORT_WAIT_S = 10.0  # for what the cancel would leave without a stop


class Command(BaseCommand):
    help = "Switch trading off or on. Off: nothing is created, what rests stays, cancelling stays possible."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("on", "off", "status"), help="on: no new orders")
        parser.add_argument(
            "--cancel-all", action="store_true", help="with on: cancel every order, stops too"
        )
        parser.add_argument("--yes", action="store_true", help="with --cancel-all: do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        what, cancel_all = options["what"], options["cancel_all"]
        if cancel_all and what != "on":
            raise CommandError("--cancel-all goes with: kill_switch on")
        if what == "on":
            self._turn_on()
        elif what == "off":
            self._turn_off()
        self.stdout.write(render_reason(create_blocked_reason()) or "Trading is on.")
        if cancel_all:
            self._cancel_all(ask=not options["yes"])

    def _turn_on(self) -> None:
        try:
            stop_trading(changed_by=_person(), now=timezone.now(), reason="kill_switch on")
        except Error as error:
            if file_name() is None:
                raise
            self.stderr.write(
                "The database cannot be written, so the kill switch is a file: it stops every process on this "
                f"machine, and is stored as soon as the database works again ({type(error).__name__})."
            )

    def _turn_off(self) -> None:
        try:
            resume_trading(changed_by=_person(), now=timezone.now(), reason="kill_switch off")
        except NotPossible as refusal:
            raise CommandError(str(refusal)) from None

    def _cancel_all(self, *, ask: bool) -> None:
        self._report_unprotected()
        if ask and not _is_confirmed():
            raise CommandError("Nothing was cancelled. The kill switch stays on.")
        with lease_try(PURPOSE, seconds=LEASE_WAIT_S) as lease:
            self._release_groups()
            done = cancel_until_none_open(
                client=_client(lease), lease=lease, sleep=time.sleep, report=self.stdout.write
            )
        if not done:
            raise CommandError("Not every order is gone: look at the exchange, and run this again.")
        self.stdout.write("No order is open in either name space. The kill switch stays on.")

    def _release_groups(self) -> None:
        try:
            released = release_all_groups(requested_by=_person(), now=timezone.now())
        except Error as error:
            self.stderr.write(
                f"The database cannot be used ({type(error).__name__}): no group is released. While the kill "
                "switch is on, none of them brings its orders back."
            )
        else:
            self.stdout.write(f"{released} groups are released: none of them brings its orders back.")

    def _report_unprotected(self) -> None:
        try:
            with lease_try(PURPOSE, seconds=LEASE_WAIT_S) as lease:
                client = _client(lease)
                with client.answer_within(REPORT_WAIT_S):
                    orders = open_orders_read(client)
                    tickers = {ticker.instrument_name: ticker for ticker in client.tickers()}
        except ExchangeError as error:
            self.stdout.write(f"What this leaves without a stop is not known: {error}")
            return
        unprotected = unprotected_after_cancel(orders, tickers)
        self.stdout.write(f"This cancels {len(orders)} open orders, stops included.")
        self.stdout.write(
            f"It leaves without a stop: {'; '.join(map(_words, unprotected)) or 'nothing new'}."
        )
        self.stdout.write(_total(unprotected))


def _client(lease: OptionalLease) -> Client:
    client = client_from_settings(before_request=lease.before_request)
    client.assume_idle(lease.idle_ms)
    return client


def _words(unprotected: UnprotectedCoin) -> str:
    value = "of unknown value" if unprotected.value_usd is None else f"worth ${unprotected.value_usd:,.2f}"
    return f"{unprotected.quantity:f} {unprotected.currency} {value}"


def _total(unprotected: list[UnprotectedCoin]) -> str:
    values = [each.value_usd for each in unprotected if each.value_usd is not None]
    unknown = len(unprotected) - len(values)
    return f"Together ${sum(values):,.2f}" + (f" and {unknown} of unknown value." if unknown else ".")


def _is_confirmed() -> bool:
    try:
        return input(f"Type {CONFIRM_WORD} to go on: ").strip() == CONFIRM_WORD
    except EOFError:  # nobody is there to type
        return False


def _person() -> str:
    try:
        return f"{getpass.getuser()} at the command line"[:64]
    except (KeyError, OSError):  # a container may have no name for its user
        return "the command line"
