"""`python -m tests.benchmarks.busy`: much news at once, against ccxt that only fetches the same.

1,000 open orders, and in each round 2,000 newly executed orders with a trade each. We read and store them
with one cycle, which takes at most five pages of a stream, and as many slices of history as it needs until
all is stored. ccxt fetches balance, open orders, orders and trades of the same seconds, page by page, and
stores nothing. Both ask the same simulator in another process, without rate limits, one after the other.
The news are sells: reading and storing is compared, not protecting.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from collections.abc import Callable
from contextlib import nullcontext
from statistics import median
from typing import Any

from tests.benchmarks import bench
from tests.benchmarks.desk import connected, cycle, waiting
from tests.benchmarks.market import KEY, SECRET, real_ms, served

import ccxt  # isort: skip
from exchange.sync.backfill import backfill_is_due, history_slice  # isort: skip
from exchange.models import ExchangeOrder, HistoryRange, Trade  # isort: skip

OPEN, NEW_ORDERS, PAGE = 1_000, 2_000, 100
GOAL, LIMIT = 1.0, 1.5  # of our CPU time against that of ccxt
SECONDS = 5  # over which the news is spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="say where our own time goes")
    args = parser.parse_args()
    bench.title(
        f"{OPEN:,} open and {NEW_ORDERS:,} new executed orders with trades: ours (stored) / ccxt (not stored)"
    )
    profile = cProfile.Profile() if args.profile else None
    rounds = [_round(number, profile) for number in range(args.rounds)]
    _report(rounds)
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


Round = tuple[bench.Measurement, bench.Measurement]


def _round(number: int, profile: cProfile.Profile | None) -> Round:
    """On an account of its own, which both have looked at once before the news."""
    bench.new_database(f"busy_{number}")
    with served(OPEN, stops=False) as exchange, connected(exchange.address):
        other = _ccxt(exchange.address)
        cycle()
        HistoryRange.objects.all().delete()  # the past before this account is not part of it
        end = real_ms()
        start = end - SECONDS * 1000
        exchange.execute(NEW_ORDERS, start_ms=start, end_ms=end)
        with bench.measure() as ours, profile or nullcontext():
            ours.requests = _store_all()
        with bench.measure() as theirs:
            fetched = _fetch_all(other, start, end)
            theirs.requests = other.sent
    stored = (ExchangeOrder.objects.filter(is_open=False).count(), Trade.objects.count())
    if stored != (NEW_ORDERS, NEW_ORDERS) or fetched != (OPEN, NEW_ORDERS, NEW_ORDERS):
        raise SystemExit(f"Not the same: stored {stored}, ccxt fetched {fetched}")
    return ours, theirs


def _store_all() -> int:
    """How many requests that took."""
    run, _ = cycle()
    sent = waiting.requests
    while backfill_is_due():
        history_slice(seconds=20)
    return run.requests + waiting.requests - sent


class Counted(ccxt.cryptocom):
    sent = 0

    def fetch(self, *args: Any, **options: Any) -> Any:
        self.sent += 1
        return super().fetch(*args, **options)


def _ccxt(address: str) -> Any:
    other = Counted({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    other.urls["api"] = {"v1": f"{address}/exchange/v1", "base": f"{address}/exchange/v1"}
    other.load_markets()
    other.sent = 0
    return other


def _fetch_all(other: Any, start: int, end: int) -> tuple[int, int, int]:
    other.fetch_balance()
    listed = other.fetch_open_orders()
    return len(listed), _paged(other.fetch_orders, start, end), _paged(other.fetch_my_trades, start, end)


def _paged(fetch: Callable[..., list[Any]], start: int, end: int) -> int:
    """Newest page first; the next one ends with the oldest millisecond of the last."""
    found: set[str] = set()
    until = end
    while True:
        rows = fetch(since=start, limit=PAGE, params={"until": until})
        fresh = {row["id"] for row in rows} - found
        found |= fresh
        if len(rows) < PAGE or not fresh:
            return len(found)
        until = min(row["timestamp"] for row in rows) + 1


def _report(rounds: list[Round]) -> None:
    rows = [_row(f"{number}", *each) for number, each in enumerate(rounds, start=1)]
    ours, theirs = ["ours wall", "cpu", "requests", "statements"], ["ccxt wall", "cpu", "requests"]
    bench.table(["round", *ours, *theirs, "wall ratio", "cpu ratio"], rows)
    wall = median(ours.wall / theirs.wall for ours, theirs in rounds)
    cpu = median(ours.cpu / theirs.cpu for ours, theirs in rounds)
    print(f"  median ratio: wall {wall:.2f}, cpu {cpu:.2f};", end=" ")
    print(f"at most {LIMIT} of cpu: {bench.verdict(cpu <= LIMIT)}, goal {GOAL}: {bench.verdict(cpu <= GOAL)}")


def _row(name: str, ours: bench.Measurement, theirs: bench.Measurement) -> list[object]:
    return [
        name,
        bench.ms(ours.wall),
        bench.ms(ours.cpu),
        ours.requests,
        ours.queries,
        bench.ms(theirs.wall),
        bench.ms(theirs.cpu),
        theirs.requests,
        f"{ours.wall / theirs.wall:.2f}",
        f"{ours.cpu / theirs.cpu:.2f}",
    ]


if __name__ == "__main__":
    main()
