"""`python -m tests.soak.workers`: two worker programs on one database, one killed in mid-cycle, again and again.

In real time and at a real interval: nothing is hurried but the kill. On the database of TEST_DATABASE_URL.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.oco.workers import farm
from tests.soak.kills import database


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--interval", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="workers") as directory:
        wrong = killed_often(Path(directory), asked.kills, asked.interval)
    print(f"{database()}: {asked.kills} kills of one of two workers, wrong: {wrong or 'nothing'}", flush=True)
    return 1 if wrong else 0


def killed_often(directory: Path, kills: int, interval: int) -> list[str]:
    wrong: list[str] = []
    with farm(directory, SYNC_INTERVAL_SECONDS=str(interval)) as here:
        here.start(2)
        here.cycles(1, seconds=2 * interval)
        for number in range(kills):
            died = here.kill_in_cycle(after=number % 2 == 1)
            here.buy("0.01")
            here.until(lambda died=died: died, seconds=2 * interval)  # type: ignore[misc]
            began = time.monotonic()
            here.cycles(1, seconds=4 * interval)
            took = time.monotonic() - began
            here.until(here.covered, seconds=2 * interval)
            print(f"kill {number + 1}: the next complete cycle ended after {took:.1f} s", flush=True)
            if took > interval + 5:
                wrong.append(f"{took:.1f} s after kill {number + 1}")
            if here.pairs() != number + 1:
                wrong.append(f"{here.pairs()} pairs for {number + 1} entries")
            here.workers.remove(died[0])
            here.start(1)
        wrong += here.record.wrong(at_rest=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
