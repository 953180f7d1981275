"""`manage.py send_alerts [--daily] [--test]`: what is due, now."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from portfolio.alerts.channels import channels_read, take_all
from portfolio.alerts.daily_report import daily_last, daily_raise
from portfolio.alerts.delivery import Delivered, alert_deliver_all
from portfolio.alerts.messages import test_message
from portfolio.alerts.runner import alert_round

MARKS = {True: "✓", False: "✗"}
NO_CHANNEL = "No channel is set (ALERT_URLS)."


class Command(BaseCommand):
    help = "Send what is due now. No address is ever printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--daily", action="store_true", help="make today's daily alert now, whatever the time"
        )
        parser.add_argument("--test", action="store_true", help="send a test message through each channel")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["test"]:
            self._test()
        elif options["daily"]:
            self._daily()
        else:
            self._say(alert_round())

    def _test(self) -> None:
        channels = channels_read()
        if not channels:
            raise CommandError(f"{NO_CHANNEL} Nothing was sent.")
        message = test_message()
        taken = take_all(dict.fromkeys(channels, message))
        for channel in channels:
            words = "it took the message" if taken[channel] else "it did not take the message"
            self.stdout.write(f"{MARKS[taken[channel]]} {channel.name}: {words}")
        if not all(taken.values()):
            sys.exit(1)

    def _daily(self) -> None:
        alert = daily_raise(now=timezone.now(), today=True)
        if alert is None and daily_last() is None:
            raise CommandError("There is nothing to tell before the first complete cycle.")
        self.stdout.write(
            f"{alert.title}\n{alert.text}" if alert else f"The daily alert of {daily_last()} was made before."
        )
        self._say(alert_deliver_all(clock=timezone.now))

    def _say(self, done: Delivered) -> None:
        if not channels_read():
            self.stdout.write(f"{NO_CHANNEL} Alerts are on the desk only.")
            return
        self.stdout.write(f"{done.sent} sent, {done.failed} failed, {done.waiting} waiting")
        if done.failed:
            sys.exit(1)
