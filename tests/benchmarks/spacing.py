"""Does the rhythm hold? Runs simulator and worker for N cycles and prints the spacing of their starts.

`python -m tests.benchmarks.spacing [--cycles 10] [--interval 30]`
"""

import argparse
import itertools
import sqlite3
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.programs import Installation

MOMENTS = "SELECT started_at FROM sync_runs WHERE trigger = 'schedule' ORDER BY started_at"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=4)
    parser.add_argument("--interval", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        installation = Installation(Path(directory), SYNC_INTERVAL_SECONDS=str(options.interval))
        try:
            report(starts(installation, options.cycles), options.interval)
        finally:
            installation.clear()


def starts(installation: Installation, cycles: int) -> list[datetime]:
    """When the first cycles on the grid began; the very first one, due at once, is left out."""
    assert installation.run("setup", "--no-static")[0] == 0
    installation.start("run_simulator", "--port", str(installation.exchange_port))
    worker = installation.start("run_worker")
    while len(found := moments(installation)) < cycles + 1:
        assert worker.is_running(), worker.text()
        time.sleep(1)
    assert worker.stop() == 0
    return found[1:]


def moments(installation: Installation) -> list[datetime]:
    with sqlite3.connect(installation.directory / "dry_run.sqlite3") as connection:
        return [datetime.fromisoformat(row[0]) for row in connection.execute(MOMENTS)]


def report(begun: list[datetime], interval: int) -> None:
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(begun)]
    lags = [moment.timestamp() % interval for moment in begun]
    print(f"{len(begun)} cycles at an interval of {interval} s")
    print(f"  spacing      min {min(gaps):.3f}  mean {statistics.mean(gaps):.3f}  max {max(gaps):.3f} s")
    print(f"  after beat   min {min(lags):.3f}  mean {statistics.mean(lags):.3f}  max {max(lags):.3f} s")


if __name__ == "__main__":
    main()
