"""The queues of the worker: threads of one process that run tasks of django-q2 with its own functions.

django-q2's cluster is a process for each of them, and others to fetch, to record and to watch. Here a thread fetches
a task from its queue, runs it and records the result, as those do. No thread can be ended: for a task that hangs,
`overdue`, the worker starts again.
"""

import logging
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

from django.db import Error, connections
from django.utils import timezone
from django_q.conf import Conf
from django_q.monitor import monitor
from django_q.signing import SignedPackage
from django_q.worker import worker

from portfolio.worker.task_queue import ALERTS, BACKGROUND, PROTECTION, TaskBroker, on_wake

log = logging.getLogger(__name__)

# A second thread for protection takes over when a cycle hangs; the lease keeps two from running at once.
THREADS = {PROTECTION: 2, ALERTS: 1, BACKGROUND: 1}
MAX_IDLE_S = 5.0  # without a wake-up, which is lost when the database fails
RETRY_S = 1.0
END = "STOP"  # of django-q2's queues
NO_TIMEOUT = -1
RECORD_TIMEOUT_S = 5.0
Task = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunningTask:
    task: Task
    queue: "TaskQueue"
    since: float  # monotonic


class TaskQueue:
    """The tasks of one queue, each run by one of `threads` threads."""

    def __init__(self, name: str, *, threads: int = 1) -> None:
        self.name = name
        self._is_stopping = False
        self._wake = threading.Condition()
        self._wakes = 0
        self._running: dict[int, RunningTask] = {}
        self._threads = [
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True)
            for number in range(1, threads + 1)
        ]

    def start(self) -> None:
        on_wake(self.name, self.wake)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Make one thread look for a task at once, without a look into the database here."""
        with self._wake:
            self._wakes += 1
            self._wake.notify()

    def stop(self) -> None:
        """Begin no further task."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify_all()

    def is_alive(self) -> bool:
        """False when a thread has ended that should not have."""
        return all(thread.is_alive() for thread in self._threads)

    def join(self, *, until: float) -> bool:
        """Wait, after `stop`, for the running tasks until that monotonic time; whether all have ended."""
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def running(self) -> list[RunningTask]:
        return list(self._running.values())

    def _run(self) -> None:
        broker, last_error = TaskBroker(self.name), None
        while not self._is_stopping:
            seen = self._wakes
            try:
                task = take(broker)
                if task is not None:
                    self._execute(task, broker)
                last_error = None
            except Error as error:
                if type(error) is not last_error:
                    log.exception("Worker: the queue cannot use the database; it tries again")
                task, last_error = None, type(error)
                time.sleep(RETRY_S)
            if task is None:
                self._wait(seen)
        connections.close_all()

    def _execute(self, task: Task, broker: TaskBroker) -> None:
        ident = threading.get_ident()
        self._running[ident] = RunningTask(dict(task), self, time.monotonic())
        try:
            result = execute(task)
        finally:
            del self._running[ident]
        record(result, broker)

    def _wait(self, seen: int) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._wakes != seen or self._is_stopping, MAX_IDLE_S)


def queues_of_worker() -> list[TaskQueue]:
    return [TaskQueue(name, threads=threads) for name, threads in THREADS.items()]


def take(broker: TaskBroker) -> Task | None:
    """The next task of the queue, which is then locked for Q_CLUSTER's `retry`."""
    for pk, payload in broker.dequeue():
        task: Task = SignedPackage.loads(payload)
        return {**task, "cluster": Conf.CLUSTER_NAME, "ack_id": pk}
    return None


def execute(task: Task) -> Task:
    """Run it as django-q2 does, with its result. Nothing ends it here: signals reach the main thread alone."""
    tasks, results = _queue_of(task), SimpleQueue[Task]()
    worker(tasks, results, SimpleNamespace(value=0, get_lock=nullcontext), timeout=NO_TIMEOUT)
    return results.get()


def record(result: Task, broker: TaskBroker) -> None:
    """Store the result of a task as django-q2 does, and delete it from the queue."""
    monitor(_queue_of(result), broker)


def _queue_of(task: Task) -> "SimpleQueue[Task | str]":
    queue: SimpleQueue[Task | str] = SimpleQueue()
    queue.put(task)
    queue.put(END)
    return queue


# Tasks that hang


def overdue(queues: list[TaskQueue]) -> RunningTask | None:
    """A task that has run for longer than Q_CLUSTER's `timeout`."""
    before = time.monotonic() - Conf.TIMEOUT
    return next((one for queue in queues for one in queue.running() if one.since < before), None)


def record_timeout(hung: RunningTask) -> None:
    """Record its failure, unless the database does not answer soon: the hanging task may hold its lock."""
    if hung not in hung.queue.running():
        return  # it has ended after all, and was recorded
    text = f"It ran for more than {Conf.TIMEOUT} s, and the worker was started again."
    result = {**hung.task, "result": text, "success": False, "stopped": timezone.now()}
    thread = threading.Thread(target=_record_and_close, args=(result, hung.queue.name), daemon=True)
    thread.start()
    thread.join(RECORD_TIMEOUT_S)


def _record_and_close(result: Task, queue: str) -> None:
    try:
        record(result, TaskBroker(queue))
    except Error:
        log.exception("Worker: the end of a task could not be recorded")
    finally:
        connections.close_all()
