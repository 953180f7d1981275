"""`python -m tests.benchmarks.protection`: what protecting costs in requests, and how fast a fill is covered.

The exchange is a process of its own on loopback. For the second table each of its answers takes 80 ms, and the
groups beside are as quiet as ten minutes after their last news.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any
from unittest import mock

import requests

from tests.benchmarks import bench
from tests.benchmarks.desk import connected, cycle
from tests.benchmarks.market import SYMBOLS, Served, served

from oco.engine.types import Plan  # isort: skip
from oco.reconcile.context import CycleContext  # isort: skip
from oco.reconcile.journal import group_transition  # isort: skip
from oco.models import OcoGroup  # isort: skip

LATENCY_S, GOAL_S = 0.08, 1.0
QUIET = (0, 10, 200)
TOGETHER = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="measured fills")
    rounds = parser.parse_args().rounds
    bench.title("Requests of a cycle, by open groups that are quiet, and by groups that form at once")
    bench.new_database("protection")
    with served(0) as exchange, connected(exchange.address):
        cycle()
        costs = [_quiet(exchange, count) for count in QUIET]
        same = len({cost[1] for cost in costs}) == 1
        bench.table(["groups", "requests", "statements", "own"], [*costs, _forming(exchange)])
        print(f"  a quiet group {'costs no request' if same else 'COSTS REQUESTS'}")
    bench.title(f"From a fill to both legs read back, {LATENCY_S * 1000:.0f} ms for each answer")
    bench.new_database("fills")
    with served(0) as exchange, connected(exchange.address):
        cycle()
        rows = []
        for count in QUIET[1:]:
            _grow(exchange, count)
            rows.append(_fills(exchange, count, rounds))
        bench.table(["beside", "fills", "median", "worst", "whole cycle", "of that our own work"], rows)
        worst = max(float(str(row[2]).split()[0]) for row in rows)
        print(f"  goal at most {GOAL_S:.0f} s: {'kept' if worst <= GOAL_S * 1000 else 'MISSED'}")


def _control(exchange: Served, verb: str, **body: Any) -> None:
    requests.post(f"{exchange.address}/_control/{verb}", json=body, timeout=10).raise_for_status()


def _buy(exchange: Served, symbol: str) -> None:
    order_params = {"instrument_name": symbol, "side": "BUY", "type": "MARKET", "notional": "50"}
    _control(exchange, "order", method="private/create-order", params=order_params)


def _active() -> int:
    return OcoGroup.objects.filter(state="ACTIVE").count()


def _grow(exchange: Served, count: int) -> None:
    while _active() < count:
        for number in range(count - _active()):
            _buy(exchange, SYMBOLS[number % len(SYMBOLS)])
        cycle()
    with mock.patch("exchange.sync.windows.CYCLE_OVERLAP_NS", 0):  # as ten minutes after the last news
        cycle()


def _quiet(exchange: Served, count: int) -> list[object]:
    _grow(exchange, count)
    with mock.patch("exchange.sync.windows.CYCLE_OVERLAP_NS", 0):
        run, spent = cycle()
    return [f"{count} quiet", run.requests, spent.queries, bench.ms(spent.own)]


def _forming(exchange: Served) -> list[object]:
    for symbol in SYMBOLS[:TOGETHER]:
        _buy(exchange, symbol)
    before = _active()
    run, spent = cycle()
    if _active() != before + TOGETHER:
        raise SystemExit("Not all of them formed.")
    return [f"{TOGETHER} forming", run.requests, spent.queries, bench.ms(spent.own)]


def _fills(exchange: Served, groups: int, rounds: int) -> Sequence[object]:
    _control(exchange, "faults", kind="delay", method="*", seconds=LATENCY_S)
    found, whole, own = [], [], []
    for number in range(rounds):
        _buy(exchange, SYMBOLS[number % len(SYMBOLS)])
        before = _active()
        with mock.patch("exchange.sync.windows.CYCLE_OVERLAP_NS", 0), _watched() as moments:
            began = time.perf_counter()
            _, spent = cycle()
        if _active() != before + 1 or len(moments) != 1:
            raise SystemExit("The fill was not covered within one cycle.")
        found.append(moments[0] - began)
        whole.append(spent.wall)
        own.append(spent.own)
    _control(exchange, "faults", clear=True)
    figures = (median(found), max(found), median(whole), median(own))
    return [f"{groups} groups", rounds, *map(bench.ms, figures)]


@contextmanager
def _watched() -> Iterator[list[float]]:
    """The moments at which a group was written down as ACTIVE."""
    moments: list[float] = []

    def move(*, context: CycleContext, group: OcoGroup, plan: Plan) -> None:
        before = group.state
        group_transition(context=context, group=group, plan=plan)
        if group.state == "ACTIVE" != before:
            moments.append(time.perf_counter())

    with mock.patch("oco.reconcile.loop.group_transition", move):
        yield moments


if __name__ == "__main__":
    main()
