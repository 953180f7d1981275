"""`manage.py send_alerts [--daily] [--test]`: checks and sends alerts now."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portfolio.alerts.channels import configured_channels, send_all
from portfolio.alerts.daily_report import daily_alert_raise, last_daily_date
from portfolio.alerts.delivery import DeliveryCounts, alert_deliver_all, build_test_message
from portfolio.alerts.runner import run_alert_checks
from portfolio.alerts.texts import alert_text, alert_title

MARKS = {True: "✓", False: "✗"}
NO_CHANNEL = "No alert channel is configured (ALERT_URLS)."


class Command(BaseCommand):
    help = "Send alerts that are due. Addresses are never printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--daily", action="store_true", help="send today's daily report now")
        parser.add_argument("--test", action="store_true", help="send a test message through each channel")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["test"]:
            self._test()
        elif options["daily"]:
            self._daily()
        else:
            self._print_counts(run_alert_checks())

    def _test(self) -> None:
        channels = configured_channels()
        if not channels:
            raise CommandError(f"{NO_CHANNEL} Nothing was sent.")
        message = build_test_message()
        delivered = send_all(dict.fromkeys(channels, message))
        for channel in channels:
            result = "delivered" if delivered[channel] else "not delivered"
            self.stdout.write(f"{MARKS[delivered[channel]]} {channel.name}: {result}")
        if not all(delivered.values()):
            sys.exit(1)

    def _daily(self) -> None:
        alert = daily_alert_raise(now=timezone.now(), today=True)
        if alert is None and last_daily_date() is None:
            raise CommandError("There is nothing to report before the first complete cycle.")
        self.stdout.write(
            f"{alert_title(alert)}\n{alert_text(alert)}"
            if alert
            else f"The daily report of {last_daily_date()} already exists."
        )
        self._print_counts(alert_deliver_all(clock=timezone.now))

    def _print_counts(self, done: DeliveryCounts) -> None:
        if not configured_channels():
            self.stdout.write(f"{NO_CHANNEL} Alerts are shown on the pages only.")
            return
        self.stdout.write(f"{done.sent} sent, {done.failed} failed, {done.waiting} waiting")
        if done.failed:
            sys.exit(1)
