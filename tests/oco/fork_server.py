"""`python -m tests.oco.fork_server`: for every line of input, fork a worker process.

Prints the process id of each. The leases of the previous worker are made to expire first. With the stream it is the
worker as shipped, with cycles more often than settings allow; without it, a process that runs cycle after cycle.
"""

import os
import sys
from datetime import timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

import portfolio.management.commands.run_worker  # noqa: E402, F401 - once, not in every child
from exchange.models import Lease  # noqa: E402
from portfolio.worker import schedule  # noqa: E402
from portfolio.worker.runner import sync_run  # noqa: E402

INTERVAL_S = 4


def main() -> None:
    for _ in sys.stdin:
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)


def work() -> None:
    Lease.objects.update(expires_at=Now())
    if settings.STREAM_ENABLED:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the other end reads process ids there
        settings.SYNC_INTERVAL_SECONDS, schedule.MIN_INTERVAL = INTERVAL_S, timedelta(0)
        call_command("run_worker")
        os._exit(0)
    while True:
        sync_run(trigger="kills")


if __name__ == "__main__":
    main()
