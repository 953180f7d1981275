"""`python -m tests.oco.fork_server`: for every line of input, fork a worker process that runs cycle after cycle.

Prints the process id of each. The lease of the previous worker is made to expire first.
"""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from django.db import connections  # noqa: E402
from django.db.models.functions import Now  # noqa: E402

from exchange.models import Lease  # noqa: E402
from portfolio.worker.runner import sync_run  # noqa: E402


def main() -> None:
    for _ in sys.stdin:
        connections.close_all()
        pid = os.fork()
        if pid == 0:
            work()
        print(pid, flush=True)


def work() -> None:
    Lease.objects.update(expires_at=Now())
    while True:
        sync_run(trigger="kills")


if __name__ == "__main__":
    main()
