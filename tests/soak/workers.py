"""`python -m tests.soak.workers`: two worker programs on one database, one repeatedly killed within a cycle.

In real time and at a real interval, on the database of TEST_DATABASE_URL.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.oco.workers import worker_pool
from tests.soak.kills import database


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--interval", type=int, default=60)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workers") as directory:
        violations = run_kills(Path(directory), args.kills, args.interval)
    print(
        f"{database()}: {args.kills} kills of one of two workers, violations: {violations or 'none'}",
        flush=True,
    )
    return 1 if violations else 0


def run_kills(directory: Path, kills: int, interval: int) -> list[str]:
    violations: list[str] = []
    with worker_pool(directory, SYNC_INTERVAL_SECONDS=str(interval)) as here:
        here.start(2)
        here.cycles(1, seconds=2 * interval)
        for number in range(kills):
            died = here.kill_in_cycle(after=number % 2 == 1)
            here.buy("0.01")
            here.wait_until(lambda died=died: died, seconds=2 * interval)  # type: ignore[misc]
            began = time.monotonic()
            here.cycles(1, seconds=4 * interval)
            took = time.monotonic() - began
            here.wait_until(here.is_covered, seconds=2 * interval)
            print(f"kill {number + 1}: the next complete cycle ended after {took:.1f} s", flush=True)
            if took > interval + 5:
                violations.append(f"{took:.1f} s after kill {number + 1}")
            if here.pairs() != number + 1:
                violations.append(f"{here.pairs()} pairs for {number + 1} entries")
            here.workers.remove(died[0])
            here.start(1)
        violations += here.record.violations(at_rest=True)
    return violations


if __name__ == "__main__":
    sys.exit(main())
