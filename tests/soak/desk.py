"""`python -m tests.soak.desk`: the complete program with a fast market for some time, then a report.

Simulator, web and worker run as `make run` starts them, with prices moving `--speed` times as fast. Entries are
bought manually all the time; stops and take profits fill as prices move. The report: cycles and failures, groups
by state, alerts, memory of each process, size of the database, and whether each open group has its open stop.
"""

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from decimal import Decimal
from pathlib import Path

from tests.benchmarks.memory import MB, _create_market, _memory_by_program
from tests.benchmarks.memory import _report as report_memory
from tests.programs import Installation

SYMBOLS = {"BTC_USD": "0.004", "ETH_USD": "0.1", "SOL_USD": "2", "CRO_USD": "3000"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--entries", type=int, default=240)
    parser.add_argument("--speed", type=int, default=60)
    parser.add_argument("--interval", type=int, default=30, help="seconds between cycles, at least 30")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as directory:
        installation = Installation(
            Path(directory), SYNC_INTERVAL_SECONDS=str(args.interval), DASHBOARD_PUBLIC="true"
        )
        try:
            return _run(installation, args)
        finally:
            installation.clear()


def _run(installation: Installation, args: argparse.Namespace) -> int:
    _create_market(installation, args.speed)
    desk = installation.start("run_desk")
    desk.wait_until(lambda: "exchange sync cycle completed" in desk.text())
    start, began_with = _memory_by_program(desk), _database(installation)
    bought = _trade(installation, args.minutes * 60, args.entries)
    time.sleep(3 * args.interval)  # the last entries get their stops
    end, errors = _memory_by_program(desk), _find_errors(installation)
    report_memory(
        round(args.minutes * 60),
        args.speed,
        _count(installation, "sync_runs WHERE status = 'OK'"),
        start,
        end,
    )
    print(
        f"\n  {bought} entries bought; database {began_with / MB:.1f} MB, then {_database(installation) / MB:.1f} MB"
    )
    for name, column, table in (
        ("cycles", "status", "sync_runs"),
        ("groups", "state", "oco_groups"),
        ("alerts", "kind", "portfolio_alerts"),
    ):
        print(f"  {name}: {_by(installation, column, table)}")
    print(f"  errors in the log: {desk.text().count('Traceback')}")
    print("\n".join(errors) or "  every open group has its stop on the exchange")
    desk.stop()
    return 1 if errors or "Traceback" in desk.text() else 0


def _trade(installation: Installation, seconds: float, entries: int) -> int:
    """Buy `entries` times, evenly spread; returns how many orders the exchange accepted."""
    rng, began, taken = random.Random(1), time.monotonic(), 0
    for number in range(entries):
        time.sleep(max(0.0, began + seconds * number / entries - time.monotonic()))
        symbol = rng.choice(sorted(SYMBOLS))
        _control(installation, "deposit", currency="USD", amount="500")
        quantity = Decimal(SYMBOLS[symbol]) * rng.randint(1, 3)
        taken += "result" in _control(
            installation,
            "order",
            method="private/create-order",
            params={"instrument_name": symbol, "side": "BUY", "type": "MARKET", "quantity": str(quantity)},
        )
        urllib.request.urlopen(f"http://127.0.0.1:{installation.port}/", timeout=30).read()
    return taken


def _control(installation: Installation, verb: str, **values: object) -> dict[str, object]:
    address = f"http://127.0.0.1:{installation.exchange_port}/_control/{verb}"
    request = urllib.request.Request(
        address, json.dumps(values).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def _find_errors(installation: Installation) -> list[str]:
    """ACTIVE groups without exactly one open stop, and closed groups with one."""
    with urllib.request.urlopen(
        f"http://127.0.0.1:{installation.port}/api/dashboard/state", timeout=30
    ) as answer:
        state = json.load(answer)
    stops = Counter(row["oco_group_id"] for row in state["open_orders"] if row["order_role"] == "STOP_LOSS")
    active = [one["oco_group_id"] for one in state["oco_groups"] if one["state"] == "ACTIVE"]
    unprotected = [
        f"  group {name} is ACTIVE and has {stops[name]} stops" for name in active if stops[name] != 1
    ]
    others = {one["oco_group_id"] for one in state["oco_groups"] if one["closed_at"] is not None}
    return [*unprotected, *(f"  closed group {name} has a stop" for name in stops if name in others)]


def _database(installation: Installation) -> int:
    return sum(file.stat().st_size for file in installation.directory.glob("dry_run.sqlite3*"))


def _ask(installation: Installation, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(installation.directory / "dry_run.sqlite3", timeout=20) as database:
        return database.execute(statement).fetchall()


def _count(installation: Installation, table: str) -> int:
    ((count,),) = _ask(installation, f"SELECT count(*) FROM {table}")
    return int(str(count))


def _by(installation: Installation, column: str, table: str) -> str:
    rows = _ask(installation, f"SELECT {column}, count(*) FROM {table} GROUP BY 1 ORDER BY 2 DESC")
    return ", ".join(f"{name} {count}" for name, count in rows) or "none"


if __name__ == "__main__":
    sys.exit(main())
