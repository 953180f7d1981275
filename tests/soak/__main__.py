"""`python -m tests.soak`: many thousand random steps of tests.soak.account, on the database of TEST_DATABASE_URL."""

import argparse
import os
import sys
import time
import traceback

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: E402
from hypothesis import HealthCheck, Phase, seed, settings  # noqa: E402
from hypothesis.internal.conjecture import engine  # noqa: E402
from hypothesis.stateful import run_state_machine_as_test  # noqa: E402

from tests.soak.account import Account  # noqa: E402

EXAMPLES, LENGTH = 20, 60
engine.MAX_SHRINKING_SECONDS = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50_000, help="the minimum number")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--first", action="store_true", help="stop at the first failure")
    args = parser.parse_args()
    setup_test_environment()
    name = connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        with transaction.atomic():
            return soak(args.steps, args.seed, first=args.first)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


def soak(steps: int, number: int, *, first: bool) -> int:
    """Run seed after seed until the steps are done; print the shortest history of each failure."""
    began, failed, start = time.monotonic(), [], number
    while Account.steps < steps and not (failed and first):
        history = failure_of(number)
        if history:
            failed.append(number)
            print(f"── seed {number} failed\n{history}", flush=True)
        number += 1
        spent = time.monotonic() - began
        print(
            f"{connection.vendor}: {Account.steps} steps, {Account.steps / spent:.0f}/s, seed {number - 1}",
            flush=True,
        )
    print(
        f"{connection.vendor}: {Account.steps} steps in {time.monotonic() - began:.0f} s, "
        f"seeds {start} to {number - 1}, failures: {failed or 'none'}"
    )
    return 1 if failed else 0


def failure_of(number: int) -> str:
    """The failure of one seed as its shortest history, or an empty text. Shrinking does not count as steps."""
    if not _run(number, [Phase.generate]):
        return ""
    steps = Account.steps
    found = _run(number, [Phase.generate, Phase.shrink])
    Account.steps = steps
    return found


def _run(number: int, phases: list[Phase]) -> str:
    profile = settings(
        max_examples=EXAMPLES,
        stateful_step_count=LENGTH,
        database=None,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    machine = seed(number)(type("Account", (Account,), {}))
    try:
        run_state_machine_as_test(machine, settings=profile)
    except Exception as error:  # noqa: BLE001 - any error is a finding
        notes = "\n".join(getattr(error, "__notes__", []))
        return notes + "\n" + "".join(traceback.format_exception_only(error))
    return ""


if __name__ == "__main__":
    sys.exit(main())
