"""`python -m tests.benchmarks.quiet`: a cycle without news, by open and by stored orders.

Three accounts of different age take turns, cycle by cycle, so that whatever else the machine does meets all
of them alike. "own" is the time of our work and the database's, without waiting for the exchange.
"""

from __future__ import annotations

import argparse
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measured cycles of each cell")
    rounds = parser.parse_args().rounds
    bench.title("Quiet cycle: requests, statements, and time against the youngest account")
    accounts = {stored: _account(stored) for stored in STORED}
    rows = [row for count in OPEN for row in _measured(count, accounts, rounds)]
    heads = ["open", "stored", "requests", "statements", "own", "cpu", f"own / {STORED[0]:,}"]
    bench.table(heads, rows)
    same = len({tuple(row[2:4]) for row in rows}) == 1
    oldest = [float(str(row[-1])) for row in rows if row[1] == f"{STORED[-1]:,}"]
    print(f"  requests and statements {'are the same everywhere' if same else 'DIFFER'};", end=" ")
    print(f"{STORED[-1]:,} / {STORED[0]:,}: {max(oldest):.2f}, goal at most {LIMIT}:", end=" ")
    print("kept" if max(oldest) <= LIMIT else "MISSED")


def _account(stored: int) -> Any:
    """An old account; the connection to its database."""
    bench.new_database(f"stored_{stored}")
    old_account(stored)
    return connections["default"]


def _measured(count: int, accounts: dict[int, Any], rounds: int) -> list[list[object]]:
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
    first = median(spent.own for spent in found[STORED[0]])
    rows = []
    for stored, all_spent in found.items():
        own, cpu = (median(getattr(spent, name) for spent in all_spent) for name in ("own", "cpu"))
        rows.append(
            [f"{count:,}", f"{stored:,}", *counts[stored], bench.ms(own), bench.ms(cpu), f"{own / first:.2f}"]
        )
    return rows


def _forget_open() -> None:
    """The next exchange is another one: what the last one had open is not known there."""
    for model in (HistoryRange, SyncCursor, SyncRun):
        model.objects.all().delete()
    ExchangeOrder.objects.filter(is_open=True).delete()


if __name__ == "__main__":
    main()
