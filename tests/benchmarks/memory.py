"""`python -m tests.benchmarks.memory`: memory of the whole desk after its start and after an hour of its market.

At `--speed 60` sixty minutes of price movement pass in sixty real seconds; cycles keep their real interval, so
there is one of them each `--interval` seconds. Meanwhile the page is asked for every second.
`--seconds 3600 --speed 1` is an hour in every respect.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from tests.programs import Installation, Program

NAMES = {
    "exchange.simulator": "simulator",
    "run_web": "web",
    "run_worker": "worker",
    "supervisor.py": "supervisor",
}
MB = 1024 * 1024
GOAL_MB, LIVE_GOAL_MB, GOAL_PROCESSES = 220, 170, 4  # PSS; live there is no simulator
Sizes = dict[str, tuple[int, float, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--speed", type=int, default=60)
    parser.add_argument("--interval", type=int, default=30, help="seconds between cycles")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        installation = Installation(
            Path(directory), SYNC_INTERVAL_SECONDS=str(args.interval), DASHBOARD_PUBLIC="true"
        )
        try:
            start, end = _run(installation, args.seconds, args.speed)
            _report(args.seconds, args.speed, _cycles(installation), start, end)
        finally:
            installation.clear()


def _run(installation: Installation, seconds: int, speed: int) -> tuple[Sizes, Sizes]:
    _create_market(installation, speed)
    desk = installation.start("run_desk")
    desk.wait_for_text("is open:")
    desk.wait_until(lambda: _cycles(installation) > 0)
    start = _memory_by_program(desk)
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        urllib.request.urlopen(f"http://127.0.0.1:{installation.port}/").read()
        time.sleep(1)
    end = _memory_by_program(desk)
    desk.stop()
    return start, end


def _create_market(installation: Installation, speed: int) -> None:
    """The simulator keeps the speed that its market was begun with."""
    state = str(installation.directory / "simulator.json")
    simulator = installation.start("run_simulator", "--port", "0", "--state", state, "--speed", str(speed))
    simulator.wait_for_text("Simulated exchange at")
    simulator.stop()


def _cycles(installation: Installation) -> int:
    with sqlite3.connect(installation.directory / "dry_run.sqlite3") as database:
        (count,) = database.execute("SELECT count(*) FROM sync_runs WHERE status = 'OK'").fetchone()
    return int(count)


def _memory_by_program(desk: Program) -> Sizes:
    """Per program: processes, MB resident, and MB where shared pages are counted once."""
    found: Sizes = {}
    top = psutil.Process(desk.pid)
    for process in (top, *top.children(recursive=True)):
        name = next((shown for word, shown in NAMES.items() if word in " ".join(process.cmdline())), "other")
        memory = process.memory_full_info()
        count, resident, fair = found.get(name, (0, 0.0, 0.0))
        found[name] = (count + 1, resident + memory.rss / MB, fair + memory.pss / MB)
    return found


def _report(seconds: int, speed: int, cycles: int, start: Sizes, end: Sizes) -> None:
    from tests.benchmarks import bench

    minutes = seconds * speed / 60
    print(
        f"\nMemory after the first cycle and {seconds} s later: {minutes:.0f} minutes of market, {cycles} cycles"
    )
    heads = ["program", "processes", "RSS start", "RSS end", "grown", "PSS start", "PSS end"]
    rows = [_row(name, start.get(name, (0, 0.0, 0.0)), end[name]) for name in sorted(end)]
    bench.table(heads, [*rows, _row("all", _sum(start), _sum(end))])
    count, _, total = _sum(end)
    live = total - end["simulator"][2]
    print(
        f"  PSS of all {total:.1f} MB (goal {GOAL_MB}), without the simulator {live:.1f} MB (goal {LIVE_GOAL_MB})"
    )
    print(f"  processes {count} (goal {GOAL_PROCESSES})")


def _row(name: str, start: tuple[int, float, float], end: tuple[int, float, float]) -> list[object]:
    numbers = (start[1], end[1], end[1] - start[1], start[2], end[2])
    return [name, end[0], *(f"{number:.1f} MB" for number in numbers)]


def _sum(sizes: Sizes) -> tuple[int, float, float]:
    counts, resident, fair = zip(*sizes.values(), strict=True)
    return sum(counts), sum(resident), sum(fair)


if __name__ == "__main__":
    main()
