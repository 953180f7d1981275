"""`python -m tests.soak.protection`: random histories of a protected account.

Each seed is a batch of histories, with the user stream off, on or failing in turn. A failing history is minimised and
printed, and the next seed follows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

import hypothesis  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402
from hypothesis import HealthCheck, Phase  # noqa: E402
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402

from tests.oco.action_history import failure_text, minimise  # noqa: E402
from tests.oco.kill_run import MODES  # noqa: E402
from tests.oco.machine import Machine  # noqa: E402

HISTORIES, LENGTH = 25, 40


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the maximum time")
    parser.add_argument("--stream", choices=MODES, help="one mode alone")
    parser.add_argument("--failures", type=int, default=10, help="the maximum number")
    args = parser.parse_args()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        return run(args)
    finally:
        teardown_databases(databases, verbosity=0)


def run(args: argparse.Namespace) -> int:
    seed, failures, began = args.seed, 0, time.monotonic()
    while Machine.steps < args.steps and failures < args.failures:
        if time.monotonic() - began > args.seconds:
            break
        failures += not batch(seed, args.stream or MODES[seed % len(MODES)])
        seed += 1
        if seed % 20 == 0:
            print(f"{connection.vendor}: {Machine.steps:,} steps, seed {seed - 1}", flush=True)
    took = time.monotonic() - began
    print(
        f"{connection.vendor}: {Machine.steps:,} steps, seeds {args.seed} to {seed - 1}, "
        f"{failures} failures, {took:.0f} s; stream "
        + ", ".join(f"{mode} {count:,}" for mode, count in sorted(Machine.steps_by_stream.items())),
        flush=True,
    )
    return 1 if failures else 0


def batch(seed: int, stream: str) -> bool:
    """Run the histories of one seed; whether all of them passed."""
    settings = hypothesis.settings(
        max_examples=HISTORIES,
        stateful_step_count=LENGTH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
        print_blob=False,
    )
    Machine.failed = None
    # Hypothesis reads the seed from the class, as it would from a test function.
    seeded = type("Seeded", (Machine,), {"_hypothesis_internal_use_seed": seed, "stream_modes": (stream,)})
    try:
        run_state_machine_as_test(seeded, settings=settings)
    except Exception:  # noqa: BLE001 - any error is a finding
        report_failure(seed)
        return False
    return True


def report_failure(seed: int) -> None:
    history = Machine.failed
    if history is None:
        raise
    begin, verbs = minimise(history.begin, history.verbs)
    print(f"── {connection.vendor}, seed {seed}\n{failure_text(begin, verbs) or history}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
