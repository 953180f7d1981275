"""`python -m tests.benchmarks.quiet`: a cycle without news, by open and by stored orders.

Three accounts of different age take turns, cycle by cycle, so that whatever else the machine does meets all
of them alike. "own" is the time of our work and the database's, without waiting for the exchange; "cpu" is that of this
process alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.benchmarks import bench
from tests.benchmarks.desk import connected, cycle
from tests.benchmarks.market import served
from tests.benchmarks.seed import old_account

from django.db import connections  # isort: skip
from exchange.models import ExchangeOrder, HistoryRange, SyncCursor, SyncRun  # isort: skip

OPEN = (10, 200, 1_000)
STORED = (10_000, 100_000, 1_000_000)
LIMIT = 1.2
MAX_REQUESTS = 8
MAX_OWN_S = 0.05  # on an idle core: the quickest cycle of each cell comes nearest to that


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measured cycles of each cell")
    parser.add_argument("--open", type=int, nargs="+", default=OPEN, help="open orders")
    parser.add_argument("--stored", type=int, nargs="+", default=STORED, help="stored orders of each account")
    args = parser.parse_args()
    bench.title("Quiet cycle: requests, statements, and time against the youngest account")
    accounts = {stored: _account(stored) for stored in args.stored}
    cells = [cell for count in args.open for cell in _measured(count, accounts, args.rounds)]
    _report(cells)


@dataclass(frozen=True)
class Cell:
    """The cycles of one account with so many open orders."""

    open: int
    stored: int
    requests: int
    statements: int
    own: list[float]
    cpu: list[float]


def _report(cells: list[Cell]) -> None:
    youngest, oldest = (pick(cell.stored for cell in cells) for pick in (min, max))
    first = {cell.open: median(cell.cpu) for cell in cells if cell.stored == youngest}
    ratios = {(cell.open, cell.stored): median(cell.cpu) / first[cell.open] for cell in cells}
    heads = ["open", "stored", "requests", "statements", "own", "least own", "cpu", "least cpu"]
    bench.table(
        [*heads, f"cpu / {youngest:,}"], [_row(cell, ratios[cell.open, cell.stored]) for cell in cells]
    )
    same = len({(cell.requests, cell.statements) for cell in cells}) == 1
    print(f"  requests and statements {'are the same everywhere' if same else 'DIFFER'}")
    requests, own = max(cell.requests for cell in cells), max(min(cell.own) for cell in cells)
    print(f"  requests: {requests}, at most {MAX_REQUESTS}: {bench.verdict(requests <= MAX_REQUESTS)}")
    print(f"  least own: {bench.ms(own)}, at most {bench.ms(MAX_OWN_S)}: {bench.verdict(own <= MAX_OWN_S)}")
    flat = max(ratio for (_, stored), ratio in ratios.items() if stored == oldest)
    print(f"  cpu {oldest:,} / {youngest:,}: {flat:.2f}, at most {LIMIT}: {bench.verdict(flat <= LIMIT)}")


def _row(cell: Cell, ratio: float) -> list[object]:
    counts = [f"{cell.open:,}", f"{cell.stored:,}", cell.requests, cell.statements]
    times = [pick(times) for times in (cell.own, cell.cpu) for pick in (median, min)]
    return [*counts, *map(bench.ms, times), f"{ratio:.2f}"]


def _account(stored: int) -> Any:
    """An old account; the connection to its database."""
    bench.new_database(f"stored_{stored}")
    old_account(stored)
    return connections["default"]


def _measured(count: int, accounts: dict[int, Any], rounds: int) -> list[Cell]:
    found: dict[int, list[bench.Measurement]] = {stored: [] for stored in accounts}
    counts = {}
    with served(count) as exchange, connected(exchange.address):
        for turn in range(-2, rounds):
            for stored, account in accounts.items():
                connections["default"] = account
                if turn == -2:
                    _forget_open()
                run, spent = cycle()
                if turn >= 0:
                    found[stored].append(spent)
                    counts[stored] = (run.requests, spent.queries)
    return [
        Cell(count, stored, *counts[stored], [one.own for one in spent], [one.cpu for one in spent])
        for stored, spent in found.items()
    ]


def _forget_open() -> None:
    """The next exchange is another one: what the last one had open is not known there."""
    for model in (HistoryRange, SyncCursor, SyncRun):
        model.objects.all().delete()
    ExchangeOrder.objects.filter(is_open=True).delete()


if __name__ == "__main__":
    main()
