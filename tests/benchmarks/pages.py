"""`python -m tests.benchmarks.pages`: how long the first page and the state take, young and old, and how many a second.

Times are of the whole Django stack in this process; the rate is that of a desk as shipped, asked over HTTP by
four clients at once while it syncs.
"""

from __future__ import annotations

import argparse
import http.client
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

from tests.benchmarks import bench
from tests.benchmarks.seed import old_account
from tests.first_load import first_load
from tests.programs import Installation

from django.db import connections  # isort: skip
from django.test import Client  # isort: skip

STORED = (1_000, 100_000, 1_000_000)
STATE = "/api/dashboard/state"
PAGES = ("/", STATE)
GOAL_MS = 150
CLIENTS = 4
FIRST_LOAD_BYTES = 60 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how often each page is asked for")
    parser.add_argument("--requests", type=int, default=1_000, help="for the rate")
    args = parser.parse_args()
    bench.title("The first page and the state, by stored orders")
    rows = [row for stored in STORED for row in _measured(stored, args.rounds)]
    bench.table(["stored", "page", "statements", "bytes", "p50", "p95"], rows)
    worst = max(float(str(row[-1]).removesuffix(" ms")) for row in rows)
    print(f"  slowest p95 {worst:.0f} ms, goal at most {GOAL_MS}: {'kept' if worst <= GOAL_MS else 'MISSED'}")
    rate, loaded = _as_shipped(args.requests)
    print(f"  {STATE} as shipped: {rate:.0f} requests a second")
    total = sum(loaded.values())
    kept = "kept" if total <= FIRST_LOAD_BYTES else "MISSED"
    print(
        f"  first load of / as shipped: {total:,} bytes in {len(loaded)} requests, "
        f"goal at most {FIRST_LOAD_BYTES:,}: {kept}"
    )


def _measured(stored: int, rounds: int) -> list[list[object]]:
    bench.new_database(f"pages_{stored}")
    old_account(stored, rare=True)
    connections["default"].cursor().close()
    client = Client(headers={"host": "localhost"})
    return [_page(client, page, stored, rounds) for page in PAGES]


def _page(client: Any, page: str, stored: int, rounds: int) -> list[object]:
    client.get(page)
    spent = []
    for _ in range(rounds):
        with bench.measure() as one:
            answer = client.get(page)
        if answer.status_code != 200:
            raise SystemExit(f"{page}: HTTP {answer.status_code}")
        spent.append(one)
    cuts = quantiles((one.wall for one in spent), n=20)
    size = f"{len(answer.content):,}"
    return [f"{stored:,}", page, spent[-1].queries, size, bench.ms(cuts[9]), bench.ms(cuts[18])]


def _as_shipped(requests: int) -> tuple[float, dict[str, int]]:
    """Requests a second, answered with 200, and the bytes of the first load of the dashboard."""
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        installation = Installation(Path(directory))
        try:
            desk = installation.start("run_desk")
            desk.wait_until(lambda: "exchange sync cycle completed" in desk.text())
            loaded = first_load(partial(_fetch, installation.port))
            began = time.perf_counter()
            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda _: _ask(installation.port, requests // CLIENTS), range(CLIENTS)))
            return requests / (time.perf_counter() - began), loaded
        finally:
            installation.clear()


def _fetch(port: int, address: str) -> tuple[dict[str, str], bytes]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", address, headers={"Accept-Encoding": "gzip"})
    answer = client.getresponse()
    return dict(answer.getheaders()), answer.read()


def _ask(port: int, times: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(times):
        client.request("GET", STATE)
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{STATE}: HTTP {answer.status}")


if __name__ == "__main__":
    main()
