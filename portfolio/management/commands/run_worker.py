"""`manage.py run_worker`: one process that schedules tasks, runs them in threads, and watches them."""

import logging
import os
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import Error, close_old_connections, connections
from django.utils import timezone
from django_q.conf import Conf

from exchange.core.memory import memory_settle
from exchange.services.lease import request_stop
from exchange.services.runs import heartbeat_record
from exchange.services.stream_records import cycle_interval
from portfolio.worker.database import connections_keep
from portfolio.worker.queues import RunningTask, TaskQueue, overdue, queues_of_worker, record_timeout
from portfolio.worker.schedule import run_due_schedules
from portfolio.worker.stream import StreamWatch
from portfolio.worker.supervisor import StopRequest
from portfolio.worker.task_queue import PROTECTION, TaskBroker, wake

NAME = "worker"
HEARTBEAT_SECONDS = 5
TICK_SECONDS = 1
POLL_SECONDS = 0.25  # between two looks at the queues: tasks of other processes
CYCLE_END_SECONDS = 30  # a running cycle may end before the worker starts again because of another task

ORDERS_STAY = "Stop loss and take profit orders stay open on the exchange."

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the worker: a scheduler and the queues of its tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        connections_keep()
        worker = Worker()
        hung = worker.run()
        if hung is not None:
            _start_again()


class Worker:
    """The main thread: schedules and watches. Its queues and the stream are other threads."""

    def __init__(self) -> None:
        self._stop = StopRequest()
        self._queues = queues_of_worker()
        self._stream = StreamWatch() if settings.STREAM_ENABLED else None
        self._broker = TaskBroker()
        self._next_tick = self._next_heartbeat = 0.0
        self._last_error: type[Error] | None = None

    def run(self) -> RunningTask | None:
        """Until a stop is requested: None. Otherwise the task that hangs: this process is of no more use."""
        memory_settle()
        for queue in self._queues:
            queue.start()
        if self._stream:
            self._stream.start()
        hung = None
        try:
            while hung is None and not self._stop.requests:
                self._step()
                hung = overdue(self._queues)
        finally:
            self._end(hung)
            connections.close_all()
        return hung

    def _step(self) -> None:
        if not all(queue.is_alive() for queue in self._queues):
            raise CommandError("A queue of the worker has stopped unexpectedly.")
        try:
            close_old_connections()
            if time.time() >= self._next_tick:
                self._tick()
            for name in self._broker.waiting():
                wake(name)
            self._last_error = None
        except Error as error:
            if type(error) is not self._last_error:
                log.exception("The worker cannot use the database; retrying every second")
            self._last_error = type(error)
            time.sleep(TICK_SECONDS)
        time.sleep(POLL_SECONDS - time.time() % POLL_SECONDS)

    def _tick(self) -> None:
        """Every full second: heartbeat and due schedules."""
        self._next_tick = time.time() // TICK_SECONDS * TICK_SECONDS + TICK_SECONDS
        if time.monotonic() >= self._next_heartbeat:
            heartbeat_record(name=NAME)
            self._next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        now = timezone.now()
        run_due_schedules(now=now, interval=cycle_interval(now=now))

    def _end(self, hung: RunningTask | None) -> None:
        for queue in self._queues:
            queue.stop()
        if hung is not None:
            log.critical(
                "The worker starts again: %s ran for more than %d s.", hung.task["func"], Conf.TIMEOUT
            )
        else:
            request_stop()
            log.info("The worker is stopping after the running cycle. %s", ORDERS_STAY)
        if self._stream:
            self._stream.stop()
        if hung is None:
            self._join(self._queues, seconds=Conf.TIMEOUT)
            log.info("The worker has stopped.")
        else:
            waits_for = [
                queue for queue in self._queues if queue.name == PROTECTION and queue is not hung.queue
            ]
            self._join(waits_for, seconds=CYCLE_END_SECONDS)
            record_timeout(hung)

    @staticmethod
    def _join(queues: list[TaskQueue], *, seconds: float) -> None:
        until = time.monotonic() + seconds
        for queue in queues:
            queue.join(until=until)


def _start_again() -> None:
    """The same program in this process: its threads end here, whatever they do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
