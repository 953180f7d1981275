"""`manage.py run_worker`: the task pool of django-q2, and a scheduler that checks every second."""

import logging
import os
import time
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import Error, close_old_connections, connections
from django.utils import timezone
from django_q.cluster import Cluster

from exchange.services.lease import request_stop
from exchange.services.runs import heartbeat_record
from exchange.services.stream_records import cycle_interval
from portfolio.worker.database import connections_keep
from portfolio.worker.processes import StopRequest, die_with_parent
from portfolio.worker.schedule import run_due_schedules
from portfolio.worker.stream import StreamWatch

NAME = "worker"
HEARTBEAT_SECONDS = 5
TICK_SECONDS = 1

ORDERS_STAY = "Stop loss and take profit orders stay open on the exchange."

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the worker: a scheduler and its pool of task processes."

    def handle(self, *args: Any, **options: Any) -> None:
        os.register_at_fork(after_in_child=die_with_parent)
        connections_keep()
        cluster = Cluster()
        stop = StopRequest()  # replaces the handlers of the cluster, which wait inside the handler
        connections.close_all()  # forked processes must not share a connection
        cluster.start()
        watch = StreamWatch() if settings.STREAM_ENABLED else None
        if watch:
            watch.start()
        try:
            _run_loop(cluster, stop)
        finally:
            request_stop()
            if watch:
                watch.stop()
            log.info("The worker is stopping after the running cycle. %s", ORDERS_STAY)
            cluster.stop()  # waits for the running task, at most the timeout of Q_CLUSTER
            log.info("The worker has stopped.")


def _run_loop(cluster: Cluster, stop: StopRequest) -> None:
    # Until a stop is requested: heartbeat, due schedules, sleep until the next full second.
    next_heartbeat, last_error = 0.0, None
    while not stop.requests:
        if not cluster.sentinel.is_alive():
            raise CommandError("The task pool of the worker has stopped unexpectedly.")
        try:
            close_old_connections()
            if time.monotonic() >= next_heartbeat:
                heartbeat_record(name=NAME)
                next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
            now = timezone.now()
            run_due_schedules(now=now, interval=cycle_interval(now=now))
            last_error = None
        except Error as error:
            if type(error) is not last_error:
                log.exception("The worker cannot use the database; retrying every second")
            last_error = type(error)
        time.sleep(TICK_SECONDS - time.time() % TICK_SECONDS)
