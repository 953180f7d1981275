"""`manage.py run_worker` runs the tasks: django-q2's cluster, and a look at the clock every second."""

import logging
import os
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import Error, close_old_connections, connections
from django.utils import timezone
from django_q.cluster import Cluster

from exchange.services.lease import request_stop
from exchange.services.runs import heartbeat_record
from portfolio.worker.processes import StopRequest, die_with_parent
from portfolio.worker.schedule import run_due_schedules

NAME = "worker"
HEARTBEAT_SECONDS = 5
TICK_SECONDS = 1

ORDERS_STAY = "Stops and targets rest on the exchange and stay there."

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the worker: one process that keeps the rhythm, and its pool that does the work."

    def handle(self, *args: Any, **options: Any) -> None:
        os.register_at_fork(after_in_child=die_with_parent)
        cluster = Cluster()
        stop = StopRequest()  # instead of the cluster's own handlers, which wait inside the handler
        connections.close_all()  # a connection must not be shared with the processes that are forked now
        cluster.start()
        try:
            _run_loop(cluster, stop)
        finally:
            request_stop()
            log.info("The worker stops; a cycle at work is finished first. %s", ORDERS_STAY)
            cluster.stop()  # a task at work is finished first; Q_CLUSTER's timeout bounds it
            log.info("The worker has stopped.")


def _run_loop(cluster: Cluster, stop: StopRequest) -> None:
    """Until we are asked to stop: beat, look, sleep to the next whole second."""
    next_heartbeat = 0.0
    while not stop.requests:
        if not cluster.sentinel.is_alive():
            raise CommandError("The worker's pool has ended unexpectedly.")
        try:
            close_old_connections()
            if time.monotonic() >= next_heartbeat:
                heartbeat_record(name=NAME)
                next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            run_due_schedules(now=timezone.now(), interval=timedelta(seconds=settings.SYNC_INTERVAL_SECONDS))
        except Error:
            log.exception("The worker cannot use the database; trying again")
        time.sleep(TICK_SECONDS - time.time() % TICK_SECONDS)
