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

from exchange.services.lease import stop_ask
from exchange.services.runs import heartbeat_record
from portfolio.worker.processes import StopRequest, die_with_parent
from portfolio.worker.schedule import look

NAME = "worker"
HEARTBEAT_SECONDS = 5
LOOK_SECONDS = 1

STAYS = "Stops and targets rest on the exchange and stay there."

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
            _watch(cluster, stop)
        finally:
            stop_ask()
            log.info("The worker stops; a cycle at work is finished first. %s", STAYS)
            cluster.stop()  # a task at work is finished first; Q_CLUSTER's timeout bounds it
            log.info("The worker has stopped.")


def _watch(cluster: Cluster, stop: StopRequest) -> None:
    """Until we are asked to stop: beat, look, sleep to the next whole second."""
    beat_due = 0.0
    while not stop.asked:
        if not cluster.sentinel.is_alive():
            raise CommandError("The worker's pool has ended unexpectedly.")
        try:
            close_old_connections()
            if time.monotonic() >= beat_due:
                heartbeat_record(name=NAME)
                beat_due = time.monotonic() + HEARTBEAT_SECONDS
            look(now=timezone.now(), interval=timedelta(seconds=settings.SYNC_INTERVAL_SECONDS))
        except Error:
            log.exception("The worker cannot use the database; trying again")
        time.sleep(LOOK_SECONDS - time.time() % LOOK_SECONDS)
