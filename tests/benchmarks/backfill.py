"""`python -m tests.benchmarks.backfill`: a long history under the real rate limits, beside a cycle a minute.

Time is simulated: sleeping for the limits and each request (`--latency`) move the clock, computing does not.
The limits of both sides are on. Slices are those of the worker, 20 s long and ended before the next cycle.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest import mock

import requests
import time_machine

from tests.benchmarks import bench
from tests.benchmarks.market import KEY, SECRET, execute, market

from exchange.sync.backfill import backfill_is_due, history_slice  # isort: skip
from exchange.client.client import Client  # isort: skip
from exchange.models import ExchangeOrder, HistoryGap, HistoryRange, SyncRun, Trade  # isort: skip
from exchange.client.ratelimit import Limiter  # isort: skip
from exchange.simulator.adapter import SimulatorAdapter  # isort: skip
from exchange.simulator.server import make_app  # isort: skip
from portfolio.worker.runner import sync_run  # isort: skip
from portfolio.tasks import MIN_SLICE, slice_length  # isort: skip
from tests.benchmarks.desk import CLIENT_FACTORIES  # isort: skip

START_MS = 1_785_587_280_000
DAY_MS = 86_400_000
GOAL = 30


class World:
    """Exchange and desk in one simulated time."""

    def __init__(self, latency: float, traveller: Any) -> None:
        self.ms = float(START_MS)
        self._traveller, self._latency = traveller, latency
        self.exchange = market(now_ms=self.now_ms, open_orders=20)
        self.exchange.limits.enabled = True
        self.limiter = Limiter(self.now_ms, self.sleep)
        self.session = requests.Session()
        self.session.mount("http://simulator", SimulatorAdapter(make_app(self.exchange, sleep=self.sleep)))

    def now_ms(self) -> int:
        return int(self.ms)

    def sleep(self, seconds: float) -> None:
        self.ms += seconds * 1000
        self._traveller.move_to(datetime.fromtimestamp(self.now_ms() / 1000, UTC))

    def client(self, *, before_request: Callable[[str], None]) -> Client:
        def announce(method: str) -> None:
            before_request(method)
            self.sleep(self._latency)

        return Client(
            "http://simulator/exchange/v1",
            KEY,
            SECRET,
            session=self.session,
            now_ms=self.now_ms,
            sleep=self.sleep,
            limiter=self.limiter,
            before_request=announce,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=180, help="over which they are spread")
    parser.add_argument("--latency", type=float, default=0.15, help="seconds each request takes")
    args = parser.parse_args()
    bench.new_database("backfill")
    bench.title(f"Backfill of {args.orders:,} orders with a trade each, over {args.days} days")
    with time_machine.travel(datetime.fromtimestamp(START_MS / 1000, UTC), tick=False) as traveller:
        world = World(args.latency, traveller)
        execute(
            world.exchange,
            args.orders,
            start_ms=START_MS - args.days * DAY_MS,
            end_ms=START_MS - DAY_MS // 24,
        )
        with mock.patch(CLIENT_FACTORIES[0], world.client), mock.patch(CLIENT_FACTORIES[1], world.client):
            began = time.process_time()
            _read_all(world)
            _report(world, args.orders, time.process_time() - began)


def _read_all(world: World) -> None:
    """A cycle each minute; between them slices, one after the other, as the queue hands them out."""
    while not SyncRun.objects.exists() or backfill_is_due():
        run = sync_run(trigger="benchmark")
        if run is None or run.status != SyncRun.Status.OK:
            raise SystemExit(f"The cycle failed: {run and run.errors}")
        while (length := slice_length(_now(world))) >= MIN_SLICE and backfill_is_due():
            history_slice(seconds=length.total_seconds(), clock=partial(_now, world))
        world.sleep((60_000 - world.now_ms() % 60_000) / 1000)


def _now(world: World) -> datetime:
    return datetime.fromtimestamp(world.now_ms() / 1000, UTC)


def _report(world: World, orders: int, cpu: float) -> None:
    rows = ExchangeOrder.objects.filter(is_open=False).count() + Trade.objects.count()
    seconds = (world.now_ms() - START_MS) / 1000
    last = HistoryRange.objects.order_by("-done_at").values_list("done_at", flat=True).first()
    bench.table(
        ["rows stored", "simulated time", "rows / s", "orders / s", "cycles", "gaps", "CPU"],
        [
            [
                f"{rows:,}",
                f"{seconds / 60:.0f} min",
                f"{rows / seconds:.1f}",
                f"{orders / seconds:.1f}",
                SyncRun.objects.count(),
                HistoryGap.objects.count(),
                f"{cpu:.0f} s",
            ]
        ],
    )
    whole = rows == 2 * orders and last is not None
    print(f"  every row is there: {whole}; goal at least {GOAL} rows / s:", end=" ")
    print("kept" if whole and rows / seconds >= GOAL else "MISSED")


if __name__ == "__main__":
    main()
