"""`manage.py backfill_orders --since DATE`: old history, resumable, in slices between the cycles."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date
from tqdm import tqdm

from exchange.client.errors import ExchangeError
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import HistoryRange
from exchange.services.lease import LeaseLost
from exchange.services.runs import WrongAccount
from exchange.sync.backfill import backfill_is_due, extend_history, history_slice

SLICE_SECONDS = 20
PAUSE_SECONDS = 1  # between slices, so that a waiting cycle gets its turn


class Command(BaseCommand):
    help = "Read order history and fills back to a date. Stops and goes on where it was left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", required=True, help="first day to read, as 2026-05-31 (UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        since, now = _date(options["since"]), timezone.now()
        if since > now:
            raise CommandError(f"--since {options['since']} lies in the future.")
        extend_history(since=since, now=now)
        if not backfill_is_due(since=since):
            self.stdout.write(f"Nothing to read: all back to {since:%Y-%m-%d} was read before.")
            return
        self.stdout.write(f"Reading orders and fills back to {since:%Y-%m-%d}, newest first.")
        with _ProgressBar(since) as bar:
            try:
                while history_slice(seconds=SLICE_SECONDS, on_page=bar.show, since=since) is not True:
                    time.sleep(PAUSE_SECONDS)
            except (ExchangeError, WrongAccount, LeaseLost) as error:
                raise CommandError(
                    f"{error} What was read is kept; start the command again to go on."
                ) from None
        self.stdout.write(f"{_result_text(since)} {bar.rows} rows read.")


class _ProgressBar:
    """Days of history read, on a terminal."""

    def __init__(self, since: datetime) -> None:
        self.rows = 0
        self.since_ns = to_ms(since) * NS_PER_MS
        self.seen: dict[int, tuple[int, int]] = {}
        self.bar: Any = None

    def __enter__(self) -> "_ProgressBar":
        open_ranges = HistoryRange.objects.filter(done_at__isnull=True)
        days = sum(_days(self._left_ns(range_)) for range_ in open_ranges)
        self.seen = {range_.pk: (range_.next_ns, range_.rows) for range_ in open_ranges}
        self.bar = tqdm(total=round(days, 1), unit="d", disable=not sys.stderr.isatty(), file=sys.stderr)
        return self

    def _left_ns(self, range_: HistoryRange) -> int:
        return max(range_.next_ns - max(range_.start_ns, self.since_ns), 0)

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, range_: HistoryRange) -> None:
        next_ns, rows = self.seen.get(range_.pk, (range_.next_ns, range_.rows))
        self.rows += range_.rows - rows
        self.bar.update(_days(next_ns - range_.next_ns))
        self.bar.set_postfix_str(f"{self.rows} rows")
        self.seen[range_.pk] = (range_.next_ns, range_.rows)


def _result_text(since: datetime) -> str:
    """What is read now, and whether the worker still has older history to read."""
    if backfill_is_due(since=since):
        return "Some history is still open."
    if not backfill_is_due():
        return "History is complete."
    return f"History is complete back to {since:%Y-%m-%d}; the worker goes on with what is older."


def _days(ns: int) -> float:
    return ns / 86_400_000_000_000


def _date(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--since {text}: write a date as 2026-05-31.")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
