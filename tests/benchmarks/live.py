"""`python -m tests.benchmarks.live`: from a fill to both legs ACTIVE, with simulator and worker as they run.

Each entry is a market order that the control door places; its time is that of its trade, on the clock of this
machine. The end is the event that says ACTIVE, in the desk's journal. The journal is on the exchange's clock as the
cycles measured it, to half a second, from the Date header: that offset is taken out of it again, and out of the time
when the pair was sent.
With a latency every answer to a request is that late, and a message of the stream half as much: it travels one way.
The stream is live first, then dead (closed, and refused from then on) and mute (it answers and beats, and shows
nothing), where the regular cycles find the fill. *At once*: from what the stream said, without reading the account.
Old history is not read. After a number of entries all of them are sold, so that the account stays small.

Wall time on a loaded machine is what it is: the load is printed beside it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.programs import Installation, Program, wait_until

SYMBOLS = [f"{coin}_USD" for coin in ("BTC", "ETH", "SOL", "XRP", "CRO", "DOGE", "ADA", "LINK", "LTC", "DOT")]
AMOUNT_USD = "60"
BATCH = 20  # entries that are open together at most
PATIENCE_S, QUIET_S = 150, 5
P50_GOAL_S, P99_GOAL_S, GOAL_LATENCY_MS = 0.4, 1.5, 80
GROUPS = """
    SELECT min(t.create_time_ns),
           (SELECT min(e.at) FROM oco_events e WHERE e.group_id = g.oco_group_id AND e.new = 'ACTIVE'),
           (SELECT min(l.sent_at) FROM oco_legs l WHERE l.group_id = g.oco_group_id),
           (SELECT count(*) FROM oco_events e WHERE e.group_id = g.oco_group_id AND e.reason_code = 'FROM_STREAM'),
           (SELECT r.clock_offset_ms FROM sync_runs r JOIN oco_legs l ON l.group_id = g.oco_group_id
            WHERE r.finished_at <= l.sent_at AND r.clock_offset_ms IS NOT NULL ORDER BY r.id DESC LIMIT 1)
    FROM exchange_trades t
    JOIN oco_lot_trades lt ON lt.trade_id = t.trade_id
    JOIN oco_groups g ON g.lot_id = lt.lot_id
    WHERE t.order_id IN ({ids}) GROUP BY t.order_id, g.oco_group_id
"""
TARGETS = """
    SELECT l.order_id FROM oco_legs l JOIN oco_groups g ON g.oco_group_id = l.group_id
    WHERE g.closed_at IS NULL AND l.order_role = 'TAKE_PROFIT' AND l.status = 'OPEN'
"""


@dataclass
class Row:
    """What one state of the stream and one latency gave, in seconds from the trade on."""

    stream: str
    latency_ms: int
    covered: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    at_once: int = 0  # without reading the account
    missing: int = 0

    def cells(self) -> list[object]:
        shown = [
            self.stream,
            f"{self.latency_ms} ms",
            len(self.covered) + self.missing,
            self.at_once or "–",
            self.missing or "–",
            f"{quantile(self.sent, 0.5):.2f} s",
            *(f"{quantile(self.covered, share):.2f} s" for share in (0.5, 0.95, 0.99, 1.0)),
        ]
        return [*shown, self.verdict()]

    def verdict(self) -> str:
        if self.stream != "live" or self.latency_ms != GOAL_LATENCY_MS:
            return ""
        kept = quantile(self.covered, 0.5) <= P50_GOAL_S and quantile(self.covered, 0.99) <= P99_GOAL_S
        return "kept" if kept and not self.missing else "MISSED"


def quantile(values: list[float], share: float) -> float:
    """The smallest value that so large a share does not exceed."""
    ordered = sorted(values) or [float("nan")]
    return ordered[min(max(-int(-len(ordered) * share // 1) - 1, 0), len(ordered) - 1)]


class Live:
    """Simulator and worker, the control door of the one and the tables of the other."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._symbols = itertools.cycle(SYMBOLS)

    def start(self) -> Program:
        here = self.installation
        assert here.run("setup", "--no-static")[0] == 0
        ports = ["--port", str(here.exchange_port), "--stream-port", str(here.stream_port)]
        here.start("run_simulator", *ports).wait_for_text("Simulated exchange at")
        self.control("deposit", currency="USD", amount="100000000")
        self.control("rate_limits", enabled=True)
        worker = self._start_worker()
        assert worker.stop() == 0
        here.write("UPDATE exchange_historyrange SET done_at = CURRENT_TIMESTAMP")
        return self._start_worker()

    def _start_worker(self) -> Program:
        """It has read the account after it began to listen."""
        before = self.rows("SELECT since FROM exchange_stream")
        worker = self.installation.start("run_worker", "--skip-checks")
        worker.wait_until(
            lambda: self.status() == "live" and self.rows("SELECT since FROM exchange_stream") != before
        )
        return worker

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.installation.rows(sql)]

    def control(self, verb: str, **values: object) -> dict[str, object]:
        address = f"http://127.0.0.1:{self.installation.exchange_port}/_control/{verb}"
        request = urllib.request.Request(
            address, json.dumps(values).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{verb} {values}: {error.read().decode()}") from error

    def status(self) -> str:
        rows = self.rows("SELECT status FROM exchange_stream")
        return str(rows[0][0]) if rows else ""

    def set_latency(self, ms: int) -> None:
        if ms:
            self.control("faults", kind="delay", method="*", seconds=ms / 1000)
            self.control("stream_faults", kind="delay", method="user.*", ms=ms / 2)

    def make_deaf(self, stream: str) -> None:
        """Dead or mute from now on; a live stream is left alone."""
        if stream == "dead":
            self.control("stream_faults", kind="refuse", method="public/auth", code=50001)
            self.control("stream", close=1001)
            wait_until(lambda: self.status() == "down")
        elif stream == "mute":
            self.control("stream_faults", kind="mute", method="*")

    def heal(self) -> None:
        self.control("faults", clear=True)
        self.control("stream_faults", clear=True)
        wait_until(lambda: self.status() == "live", PATIENCE_S)

    def buy(self) -> str:
        """The id of a market order that has been filled."""
        order = self.control(
            "market_order", instrument_name=next(self._symbols), side="BUY", amount_usd=AMOUNT_USD
        )
        return str(order["order_id"])

    def groups(self, order_ids: list[str]) -> list[tuple[object, ...]]:
        ids = ", ".join(f"'{each}'" for each in order_ids)
        return self.rows(GROUPS.format(ids=ids))

    def wait_until_covered(self, order_ids: list[str], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rows = self.groups(order_ids)
            if len(rows) >= len(order_ids) and all(row[1] for row in rows):
                return
            time.sleep(0.5)

    def sell_all(self) -> None:
        """Somebody takes every take profit of ours; wait until the desk has closed the groups and all is quiet."""
        for (order_id,) in self.rows(TARGETS):
            self.control("fill", order_id=str(order_id))
        wait_until(lambda: not self.rows(TARGETS), PATIENCE_S)
        newest = self.newest_cycle()
        wait_until(lambda: self.newest_cycle() > newest, PATIENCE_S)
        time.sleep(QUIET_S)

    def newest_cycle(self) -> int:
        """The id of the newest complete one."""
        ((newest,),) = self.rows("SELECT max(id) FROM sync_runs WHERE status = 'OK'")
        return int(str(newest))


def epoch(moment: object) -> float:
    found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def measure(live: Live, row: Row, entries: int, spacing: float) -> Row:
    """Buy, wait, and read when each was protected."""
    for batch in batches(entries):
        ids = []
        for _ in range(batch):
            ids.append(live.buy())
            time.sleep(spacing)
        live.wait_until_covered(ids, PATIENCE_S)
        found = [group for group in live.groups(ids) if group[1]]
        row.missing += len(ids) - len(found)
        for trade, active, sent, from_stream, offset_ms in found:
            row.at_once += bool(from_stream)
            began = int(str(trade)) / 1e9 + int(str(offset_ms or 0)) / 1000
            row.covered.append(epoch(active) - began)
            row.sent.append(epoch(sent) - began)
        if row.stream == "live":
            live.sell_all()
    return row


def batches(entries: int) -> Iterator[int]:
    while entries > 0:
        yield min(entries, BATCH)
        entries -= BATCH


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=200, help="with the stream live, at each latency")
    parser.add_argument("--few", type=int, default=5, help="with the stream dead, and with it mute")
    parser.add_argument("--spacing", type=float, default=1.5, help="seconds between two entries")
    parser.add_argument("--few-spacing", type=float, default=23.0, help="the same where cycles find them")
    parser.add_argument("--latency", type=int, nargs="*", default=[0, GOAL_LATENCY_MS], help="in ms")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        installation = Installation(Path(directory))
        try:
            live = Live(installation)
            live.start()
            rows = list(measure_all(live, options))
            refused = live.control("rate_limits")["refused"]
        finally:
            installation.clear()
    report(rows, refused)


def measure_all(live: Live, options: argparse.Namespace) -> Iterator[Row]:
    plan = [("live", ms, options.entries, options.spacing) for ms in options.latency]
    plan += [(how, GOAL_LATENCY_MS, options.few, options.few_spacing) for how in ("dead", "mute")]
    for stream, latency, entries, spacing in plan:
        if not entries:
            continue
        live.set_latency(latency)
        live.make_deaf(stream)
        yield measure(live, Row(stream, latency), entries, spacing)
        live.heal()
        live.sell_all()


def report(rows: list[Row], refused: object) -> None:
    from tests.benchmarks import bench

    bench.title("From a fill to both legs ACTIVE")
    heads = [
        "stream",
        "latency",
        "entries",
        "at once",
        "bare",
        "sent p50",
        "p50",
        "p95",
        "p99",
        "most",
        "goal",
    ]
    bench.table(heads, [row.cells() for row in rows])
    print(
        f"\n  goal at {GOAL_LATENCY_MS} ms: p50 at most {P50_GOAL_S} s, p99 at most {P99_GOAL_S} s"
        f"\n  42901 answered: {refused}; load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
