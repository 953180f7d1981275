"""`manage.py oco_plan`: what the next cycle would place or cancel, and why."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from exchange.client.client import client_from_settings
from exchange.client.errors import ExchangeError
from exchange.core.reasons import stored_sentence
from exchange.error_texts import render_errors
from exchange.services.lease import LeaseBusy, LeaseLost, lease_wait
from exchange.services.runs import WrongAccount
from oco.engine.pricing import ExitSide
from oco.engine.types import Action, Cancel, ConfirmEntry, LookUp, OrderKind, Place, ReadInstrument
from oco.models import OcoEvent
from oco.presentation.reasons import render_reason
from oco.reconcile.loop import CycleReport
from oco.services.dry_run import PlannedGroup, apply_cycle, preview_cycle, read_account

KIND_TEXTS = {
    OrderKind.PAIR: "a stop with a take profit",
    OrderKind.STOP: "only a stop",
    OrderKind.EXIT: "a market {side}",
}


class Command(BaseCommand):
    help = "Show what the next cycle would place or cancel, and why. Changes nothing unless --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it: run the protection of one cycle now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with lease_wait("oco_plan") as lease:
                client = client_from_settings(before_request=lease.before_request)
                client.assume_idle(lease.idle_ms)
                account = read_account(client=client, clock=timezone.now)
                for error in account.snapshot.errors:
                    self.stderr.write(self.style.WARNING(error))
                if options["apply"]:
                    last = OcoEvent.objects.order_by("-id").values_list("id", flat=True).first() or 0
                    report = apply_cycle(client=client, lease=lease, account=account, clock=timezone.now)
                    self._print_result(last, report)
                else:
                    self._print_plan(
                        preview_cycle(client=client, lease=lease, account=account, clock=timezone.now)
                    )
        except (LeaseBusy, LeaseLost, ExchangeError, WrongAccount) as error:
            raise CommandError(str(error)) from None

    def _print_plan(self, found: list[PlannedGroup]) -> None:
        if not found:
            self.stdout.write("Nothing to protect.")
        for each in found:
            self.stdout.write(f"{_heading(each)}: {render_reason(each.plan.reason)}")
            for action in each.plan.actions:
                self.stdout.write(f"  would {_words(action, each.group.lot.exit_side)}")
            if not each.plan.actions:
                self.stdout.write("  would place and cancel nothing")

    def _print_result(self, last: int, report: CycleReport) -> None:
        for event in OcoEvent.objects.filter(pk__gt=last).select_related("group").order_by("id"):
            states = f"{event.old or '·'} → {event.new}"
            words = render_reason(event.stored_reason)
            self.stdout.write(f"{event.group.instrument_name} {states}: {words}")
        for error in render_errors(report.errors, [stored_sentence(error) for error in report.errors]):
            self.stderr.write(self.style.WARNING(error))
        if report.key_refused:
            raise CommandError("Nothing more could be done: the exchange does not let this API key trade.")
        self.stdout.write("Done: the protection of one cycle.")


def _heading(each: PlannedGroup) -> str:
    group, new = each.group, each.plan.state
    states = group.state if group.state == new else f"{group.state} → {new}"
    bought = ", bought back," if group.lot.exit_side is ExitSide.BUY else ""
    return f"{group.instrument_name} {group.quantity:f}{bought} {states}"


def _words(action: Action, exit_side: ExitSide) -> str:
    if isinstance(action, Place):
        kind = KIND_TEXTS[action.kind].format(side=exit_side.lower())
        return f"place {kind} for {action.quantity:f}{''.join(_prices(action))}"
    if isinstance(action, Cancel):
        return f"cancel {' and '.join(action.client_oids)}, then decide again"
    if isinstance(action, LookUp):
        return f"look for {' and '.join(action.client_oids)}, then decide again"
    if isinstance(action, ConfirmEntry):
        return "ask for the order that bought or sold it, then decide again"
    what = "instrument" if isinstance(action, ReadInstrument) else "price"
    return f"read the {what} once more, then decide again"


def _prices(place: Place) -> Iterator[str]:
    if place.kind is not OrderKind.EXIT:
        yield f", stop {place.stop:f}"
    if place.target is not None:
        yield f", take profit {place.target:f}"
    if place.max_buy_price is not None:
        yield f", at most {place.max_buy_price:f} per coin"
