"""`python -m tests.soak.kills`: worker processes killed many times, on the database of TEST_DATABASE_URL.

After every ten kills one worker runs on, and then everything must be covered. Each seed is a run of ten kills, with
the user stream off, on or failing in turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

from tests.oco.kill_run import MODES, kill_run

EACH = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--stream", choices=MODES, help="one mode alone")
    args = parser.parse_args()
    began, failed, modes = time.monotonic(), [], Counter[str]()
    seeds = range(args.seed, args.seed - (-args.kills // EACH))
    for seed in seeds:
        stream = args.stream or MODES[seed % len(MODES)]
        modes[stream] += EACH
        with tempfile.TemporaryDirectory(prefix="kills") as directory:
            violations = run_kills(Path(directory), seed, stream)
        if violations:
            failed.append(seed)
            print(f"── {database()}, seed {seed}, stream {stream}\n" + "\n".join(violations), flush=True)
    print(
        f"{database()}: {EACH * len(seeds)} kills in {time.monotonic() - began:.0f} s, "
        f"seeds {seeds.start} to {seeds.stop - 1}, failures: {failed or 'none'}; stream "
        + ", ".join(f"{mode} {count}" for mode, count in sorted(modes.items())),
        flush=True,
    )
    return 1 if failed else 0


def run_kills(directory: Path, seed: int, stream: str) -> list[str]:
    with kill_run(directory, seed, stream, **environment()) as here:
        for _ in range(EACH):
            here.run_round()
            if violations := here.violations(at_rest=False):
                return violations
        return here.converge()


def environment(template: str = "template1") -> dict[str, str]:
    """A new database on the server of TEST_DATABASE_URL, copied from `template`; without a server, SQLite.

    No stream wakes a cycle: each is caused by its schedule, or by a restart.
    """
    address = os.environ.get("TEST_DATABASE_URL", "")
    if not address.startswith("postgres"):
        return {"STREAM_ENABLED": "false"}
    import psycopg2

    name = f"kills_{uuid4().hex[:12]}"
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    connection.close()
    start, _, query = address.partition("?")
    own = f"{start.rpartition('/')[0]}/{name}"
    return {"STREAM_ENABLED": "false", "DATABASE_URL": f"{own}?{query}" if query else own}


def database() -> str:
    return "postgresql" if os.environ.get("TEST_DATABASE_URL", "").startswith("postgres") else "sqlite"


if __name__ == "__main__":
    sys.exit(main())
