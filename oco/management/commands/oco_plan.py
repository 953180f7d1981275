"""`manage.py oco_plan`: what the next cycle would place or cancel, and why."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from exchange.client.client import client_from_settings
from exchange.client.errors import ExchangeError
from exchange.services.lease import Busy, LeaseLost, lease_for
from exchange.services.runs import WrongAccount
from oco.engine.pricing import Way
from oco.engine.types import Action, Cancel, LookUp, Order, Place
from oco.models import OcoEvent
from oco.reconcile.dry_run import Rehearsed, account_read, perform, rehearse

WHAT = {
    Order.PAIR: "a stop with a target",
    Order.STOP: "a stop alone",
    Order.EXIT: "a {way.order} at the market",
}


class Command(BaseCommand):
    help = "Say what the next cycle would place or cancel, and why. Changes nothing unless --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it: one cycle's protection, now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with lease_for("oco_plan") as held:
                client = client_from_settings(before_request=lambda _method: held.renew())
                account = account_read(client=client, clock=timezone.now)
                for error in account.snapshot.errors:
                    self.stderr.write(self.style.WARNING(error))
                if options["apply"]:
                    last = OcoEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
                    report = perform(client=client, held=held, account=account, clock=timezone.now)
                    self._say_done(last, report.errors)
                else:
                    self._say_plan(rehearse(client=client, held=held, account=account, clock=timezone.now))
        except (Busy, LeaseLost, ExchangeError, WrongAccount) as error:
            raise CommandError(str(error)) from None

    def _say_plan(self, found: list[Rehearsed]) -> None:
        if not found:
            self.stdout.write("Nothing is to be protected.")
        for each in found:
            self.stdout.write(f"{_heading(each)}: {each.plan.reason}")
            for action in each.plan.actions:
                self.stdout.write(f"  would {_words(action, each.group.lot.way)}")
            if not each.plan.actions:
                self.stdout.write("  would place and cancel nothing")

    def _say_done(self, last: int, errors: tuple[str, ...]) -> None:
        for event in OcoEvent.objects.filter(pk__gt=last).select_related("group").order_by("id"):
            self.stdout.write(f"{event.group.instrument_name} {event}")
        for error in errors:
            self.stderr.write(self.style.WARNING(error))
        self.stdout.write("Done: one cycle's protection.")


def _heading(each: Rehearsed) -> str:
    group, new = each.group, each.plan.state
    states = group.state if group.state == new else f"{group.state} → {new}"
    bought = ", bought back," if group.lot.way is Way.BUYS else ""
    return f"{group.instrument_name} {group.quantity:f}{bought} {states}"


def _words(action: Action, way: Way) -> str:
    if isinstance(action, Place):
        what = WHAT[action.what].format(way=way)
        return f"place {what} for {action.quantity:f}{''.join(_prices(action))}"
    if isinstance(action, Cancel):
        return f"cancel {' and '.join(action.client_oids)}, then decide again"
    if isinstance(action, LookUp):
        return f"look for {' and '.join(action.client_oids)}, then decide again"
    return "look at the market once more, then decide again"


def _prices(place: Place) -> Iterator[str]:
    if place.what is not Order.EXIT:
        yield f", stop {place.stop:f}"
    if place.target is not None:
        yield f", target {place.target:f}"
    if place.ceiling is not None:
        yield f", at most {place.ceiling:f} a coin"
