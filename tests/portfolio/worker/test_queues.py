"""The threads of the worker: tasks run beside each other, are recorded by django-q2, and are watched."""

import threading
import time

import pytest
from django.db import OperationalError
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Success, Task
from django_q.tasks import async_task

from portfolio import tasks
from portfolio.worker import queues
from portfolio.worker.queues import TaskQueue, overdue, record_timeout
from portfolio.worker.task_queue import ALERTS, PROTECTION
from tests.programs import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def begin():
    """Starts queues, and ends them with the test."""
    begun = []

    def start(*names, threads=1):
        begun.extend(TaskQueue(name, threads=threads) for name in names)
        for queue in begun[-len(names) :]:
            queue.start()
        return begun[-len(names) :]

    yield start
    for queue in begun:
        queue.stop()
    for queue in begun:
        assert queue.join(until=time.monotonic() + 20)


@pytest.fixture
def gate(monkeypatch):
    """`send_alerts` hangs until it is set."""
    gate = threading.Event()
    monkeypatch.setattr(tasks, "send_alerts", lambda: gate.wait(60) and "sent")
    monkeypatch.setattr(tasks, "sync_cycle", lambda: "synced")
    yield gate
    gate.set()


def results(model=Task):
    return dict(model.objects.values_list("func", "result"))


def test_a_task_is_run_recorded_and_deleted_from_the_queue(begin, gate):
    begin(PROTECTION)
    async_task("portfolio.tasks.sync_cycle", group="sync")
    wait_until(lambda: results(Success))
    row = Success.objects.get()
    assert (row.func, row.result, row.group, row.cluster, row.attempt_count) == (
        "portfolio.tasks.sync_cycle",
        "synced",
        "sync",
        Conf.CLUSTER_NAME,
        1,
    )
    wait_until(lambda: not OrmQ.objects.exists())


def test_a_task_that_fails_is_recorded_and_not_repeated(begin, gate, monkeypatch):
    def fail():
        raise ValueError("no such coin")

    monkeypatch.setattr(tasks, "sync_cycle", fail)
    begin(PROTECTION)
    async_task("portfolio.tasks.sync_cycle")
    wait_until(lambda: results(Failure))
    assert "no such coin" in results()["portfolio.tasks.sync_cycle"]
    wait_until(lambda: not OrmQ.objects.exists())


def test_a_hanging_alert_delays_no_cycle(begin, gate):
    alerts, _ = begin(ALERTS, PROTECTION)
    async_task("portfolio.tasks.send_alerts")
    wait_until(alerts.running)
    async_task("portfolio.tasks.sync_cycle")
    wait_until(lambda: results(Success))
    assert results() == {"portfolio.tasks.sync_cycle": "synced"}
    gate.set()
    wait_until(lambda: len(results()) == 2)


def test_while_a_cycle_hangs_the_next_one_runs(begin, gate, monkeypatch):
    """The lease decides what it may do."""
    begun = []
    monkeypatch.setattr(tasks, "sync_cycle", lambda: begun.append(1) or (len(begun) == 1 and gate.wait(60)))
    begin(PROTECTION, threads=queues.THREADS[PROTECTION])
    async_task("portfolio.tasks.sync_cycle")
    wait_until(lambda: begun)
    async_task("portfolio.tasks.sync_cycle")
    wait_until(lambda: len(begun) == 2)
    gate.set()
    wait_until(lambda: Success.objects.count() == 2)


def test_a_task_of_another_process_is_found_when_the_queue_is_woken(begin, gate, monkeypatch):
    monkeypatch.setattr("portfolio.worker.task_queue.wake", lambda name: None)
    monkeypatch.setattr(queues, "MAX_IDLE_S", 3600)
    (queue,) = begin(PROTECTION)
    async_task("portfolio.tasks.sync_cycle")
    queue.wake()
    wait_until(lambda: results(Success))


def test_told_to_stop_a_queue_ends_its_task_and_begins_no_other(begin, gate):
    (queue,) = begin(ALERTS)
    async_task("portfolio.tasks.send_alerts")
    wait_until(queue.running)
    async_task("portfolio.tasks.send_alerts")
    queue.stop()
    assert not queue.join(until=time.monotonic() + 0.1)
    gate.set()
    assert queue.join(until=time.monotonic() + 20)
    assert (Success.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_a_database_that_fails_for_a_moment_ends_no_queue(begin, gate, monkeypatch, caplog):
    failures = iter([OperationalError("database is locked")] * 2)
    take = queues.take

    def flaky(broker):
        for error in failures:
            raise error
        return take(broker)

    monkeypatch.setattr(queues, "RETRY_S", 0.01)
    monkeypatch.setattr(queues, "take", flaky)
    (queue,) = begin(PROTECTION)
    async_task("portfolio.tasks.sync_cycle")
    queue.wake()
    wait_until(lambda: queue.wake() or results(Success))
    assert queue.is_alive()
    assert caplog.text.count("the queue cannot use the database") == 1


def test_a_task_past_its_timeout_is_found_and_recorded_as_a_failure(begin, gate, monkeypatch):
    (queue,) = begin(ALERTS)
    async_task("portfolio.tasks.send_alerts")
    wait_until(queue.running)
    assert overdue([queue]) is None
    monkeypatch.setattr(Conf, "TIMEOUT", -1)
    hung = overdue([queue])
    assert hung.task["func"] == "portfolio.tasks.send_alerts"
    record_timeout(hung)
    assert Failure.objects.get().func == "portfolio.tasks.send_alerts"
    assert not OrmQ.objects.exists()  # it is not repeated
