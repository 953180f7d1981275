"""The queue of django-q2 without pickle, and for the functions of `portfolio.tasks` only.

django-q2 pickles the tasks it stores and would run any function, hook or chain that a task names. Here tasks and
their results are JSON; all others are refused where tasks are taken out of the queue, and again where they are run.
"""

import json
import logging
import pydoc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import picklefield.fields
from django.db import transaction
from django.utils import timezone
from django_q import signing, worker
from django_q.brokers.orm import ORM
from django_q.conf import Conf

logger = logging.getLogger(__name__)

# By queue: a slow mail server or candle read delays no cycle. The first one has the name that django-q2 gives it.
PROTECTION, ALERTS, BACKGROUND = Conf.CLUSTER_NAME, "alerts", "background"
QUEUES = {
    PROTECTION: ("sync_cycle", "sync_now", "sync_stream", "sync_subscribed"),
    ALERTS: ("send_alerts", "ping_heartbeat"),
    BACKGROUND: ("read_history", "read_market", "thin_values", "tidy_up"),
}
QUEUE_OF = {f"portfolio.tasks.{name}": queue for queue, names in QUEUES.items() for name in names}
FUNCTIONS = frozenset(QUEUE_OF)
# A hook and a chain are functions too, and the other options of django-q2 are not used.
KEYS = frozenset({"id", "name", "func", "args", "kwargs", "started", "group", "ack_failure"})
SHOWN_LENGTH = 80


class JsonSerializer:
    """Takes the place of django-q2's PickleSerializer."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        return json.dumps(value, default=str).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        """Raises BadSignature, which django-q2 answers by dropping the task."""
        try:
            return json.loads(data)
        except ValueError:
            raise signing.BadSignature("This is not JSON.") from None


class TaskBroker(ORM):  # type: ignore[misc]  # the package is not typed
    """The database as queues, each for its functions; a task that is not one of ours is deleted before it runs."""

    def enqueue(self, task: str) -> int:
        """Into the queue of its function, whichever queue this broker is for."""
        key = str(QUEUE_OF.get(_function_of(task), self.list_key))
        pk: int = ORM.enqueue(self if key == self.list_key else TaskBroker(key), task)
        transaction.on_commit(lambda: wake(key), using=Conf.ORM)
        return pk

    def dequeue(self) -> list[tuple[int, str]]:
        return [(pk, payload) for pk, payload in super().dequeue() or () if self._accepts(pk, payload)]

    def waiting(self) -> list[str]:
        """The queues in which a task waits."""
        rows = self.get_connection().filter(lock__lt=timezone.now())
        return list(rows.values_list("key", flat=True).distinct())

    def _accepts(self, pk: int, payload: str) -> bool:
        if refusal := refusal_of(payload):
            logger.error("Worker: a task was refused: %s", refusal)
            self.fail(pk)
            return False
        key = QUEUE_OF[_function_of(payload)]
        if key != self.list_key:  # stored by an earlier version
            self.get_connection().filter(pk=pk).update(key=key, lock=timezone.now())
        return bool(key == self.list_key)


_wakes: dict[str, Callable[[], None]] = {}


def on_wake(queue: str, call: Callable[[], None]) -> None:
    """`call`, in any thread, when a task may wait in that queue; for the worker."""
    _wakes[queue] = call


def wake(queue: str) -> None:
    """Make the threads of a queue of this process look for tasks now. Without effect in another process."""
    if call := _wakes.get(queue):
        call()


def refusal_of(payload: str) -> str:
    """Why this stored task may not run; empty when it may."""
    try:
        task = signing.SignedPackage.loads(payload)
    except signing.BadSignature as error:
        return str(error)
    func = str(task.get("func") if isinstance(task, dict) else task)
    if func not in FUNCTIONS:
        return f"{func[:SHOWN_LENGTH]!r} is not a task of Exchange Desk."
    extra = sorted(key for key, value in task.items() if value and key not in KEYS)
    return f"it has {', '.join(extra)[:SHOWN_LENGTH]!r}." if extra else ""


def _function_of(payload: str) -> str:
    try:
        task = signing.SignedPackage.loads(payload)
    except signing.BadSignature:
        return ""
    return str(task.get("func")) if isinstance(task, dict) else ""


def find_task(name: str) -> Any:
    """The function of a task, at its execution; None for any other name, which django-q2 records as a failure."""
    return pydoc.locate(name) if name in FUNCTIONS else None


def restrict_queue() -> None:
    """From now on django-q2 finds our tasks only, and stores and reads JSON, in this process.

    Pickles of an earlier version are shown as they are stored.
    """
    worker.pydoc = SimpleNamespace(locate=find_task)
    signing.PickleSerializer = JsonSerializer
    picklefield.fields.dbsafe_encode = _encode
    picklefield.fields.dbsafe_decode = _decode


def _encode(value: Any, *_options: object) -> picklefield.fields.PickledObject:
    return picklefield.fields.PickledObject(json.dumps(value, default=str))


def _decode(value: str, *_options: object) -> Any:
    return json.loads(value)
