"""`python -m tests.benchmarks.pages`: what the first page and the state cost, kept and after a change.

Statements and CPU are of the whole Django stack in this process, by stored orders. Times and the rate are those of the
web server as shipped, asked over HTTP, with the largest number: 20 positions and 40 groups. Its CPU by request does not
depend on what else this machine does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median, median_high

from tests.benchmarks import bench
from tests.benchmarks.seed import held_positions, old_account
from tests.benchmarks.served import Served, Timing, fetch
from tests.first_load import first_load
from tests.programs import Installation

from django.db import connections  # isort: skip
from django.test import Client  # isort: skip
from portfolio.models import Balance  # isort: skip

STORED = (1_000, 100_000, 1_000_000)
POSITIONS = 20
STATE = "/api/dashboard/state"
PAGES = ("/", STATE)
CLIENTS = 4
FIRST_LOAD_BYTES = 60 * 1024
CHANGES = 20
STATE_P50_MS, PAGE_P50_MS, PAGE_P95_MS, REQUESTS_A_SECOND = 8, 20, 60, 300
REQUESTS_BETWEEN_CHANGES = 50
"""One answer of 50 is made anew: more often than a page that asks once a second meets a cycle."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often each page is asked for")
    parser.add_argument(
        "--requests", type=int, default=1_000, help="for the rate; the desk allows 1,200 a minute"
    )
    parser.add_argument("--stored", type=int, nargs="+", default=STORED)
    args = parser.parse_args()
    bench.title("The first page and the state, by stored orders")
    rows = [row for stored in args.stored for row in _measured(stored, args.rounds)]
    bench.table(["stored", "page", "", "statements", "bytes", "CPU"], rows)
    bench.title(f"As shipped, {max(args.stored):,} stored orders, {POSITIONS} positions")
    _as_shipped(args.rounds, args.requests)
    loaded = _first_load()
    total = sum(loaded.values())
    print(
        f"  first load of / as shipped: {total:,} bytes in {len(loaded)} requests, "
        f"goal at most {FIRST_LOAD_BYTES:,}: {_verdict(total <= FIRST_LOAD_BYTES)}"
    )


def _measured(stored: int, rounds: int) -> list[list[object]]:
    bench.new_database(f"pages_{stored}")
    old_account(stored, rare=True)
    held_positions(POSITIONS)
    connections["default"].cursor().close()
    client = Client(headers={"host": "localhost"})
    return [
        row
        for page in PAGES
        for row in (
            _page(client, page, stored, CHANGES, changing=True),
            _page(client, page, stored, rounds, changing=False),
        )
    ]


def _page(client: Client, page: str, stored: int, rounds: int, *, changing: bool) -> list[object]:
    client.get(page)
    spent = []
    for _ in range(rounds):
        if changing:
            _change()
        with bench.measure() as one:
            answer = client.get(page)
        if answer.status_code != 200:
            raise SystemExit(f"{page}: HTTP {answer.status_code}")
        spent.append(one)
    cpu = bench.ms(median(one.cpu for one in spent))
    kind = "changed" if changing else "kept"
    statements = median_high(one.queries for one in spent)
    return [f"{stored:,}", page, kind, statements, f"{len(answer.content):,}", cpu]


def _change() -> None:
    Balance.objects.filter(currency="COIN0").update(available=time.time_ns() % 1000)


def _as_shipped(rounds: int, requests: int) -> None:
    with Served() as served:
        served.ask(STATE, 1)
        served.ask("/", 1)
        state = served.ask(STATE, rounds)
        page = served.ask("/", rounds, every=REQUESTS_BETWEEN_CHANGES, meanwhile=_change)
        etag = {"If-None-Match": served.header(STATE, "ETag")}
        rows = [
            ["state, kept", *state.columns()],
            ["state, compressed", *served.ask(STATE, rounds, {"Accept-Encoding": "gzip"}).columns()],
            ["state, 304", *served.ask(STATE, rounds, etag, status=304).columns()],
            ["state, each after a change", *served.ask(STATE, CHANGES, every=1, meanwhile=_change).columns()],
            [f"page, a change every {REQUESTS_BETWEEN_CHANGES}", *page.columns()],
            ["page, each after a change", *served.ask("/", CHANGES, every=1, meanwhile=_change).columns()],
        ]
        known = {"X-Live": f"{served.page_revision()} "}
        rows.append(["poll, 204", *served.ask("/", rounds, known, status=204).columns()])
        rate = served.rate(STATE, requests, clients=CLIENTS)
    bench.table(["", "p50", "p95", "server CPU"], rows)
    _goals(state, page, rate)


def _goals(state: Timing, page: Timing, rate: float) -> None:
    for name, found, goal in (
        ("state p50", state.p50, STATE_P50_MS),
        ("page p50", page.p50, PAGE_P50_MS),
        ("page p95", page.p95, PAGE_P95_MS),
    ):
        print(f"  {name} {bench.ms(found)}, goal at most {goal} ms: {_verdict(found * 1000 <= goal)}")
    print(
        f"  {CLIENTS} clients: {rate:.0f} states a second, goal at least {REQUESTS_A_SECOND}: "
        f"{_verdict(rate >= REQUESTS_A_SECOND)}"
    )


def _first_load() -> dict[str, int]:
    """The bytes of the first load of the dashboard of a new desk."""
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        installation = Installation(Path(directory))
        try:
            desk = installation.start("run_desk")
            desk.wait_until(lambda: "exchange sync cycle completed" in desk.text())
            return first_load(partial(fetch, installation.port, headers={"Accept-Encoding": "gzip"}))
        finally:
            installation.clear()


def _verdict(is_kept: bool) -> str:
    return "kept" if is_kept else "MISSED"


if __name__ == "__main__":
    main()
