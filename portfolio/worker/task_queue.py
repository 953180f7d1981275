"""The queue of django-q2 without pickle, and for the functions of `portfolio.tasks` only.

django-q2 pickles the tasks it stores and would run any function, hook or chain that a task names. Here tasks and
their results are JSON; all others are refused where tasks are taken out of the queue, and again where they are run.
"""

import json
import logging
import pydoc
from types import SimpleNamespace
from typing import Any

import picklefield.fields
from django_q import signing, worker
from django_q.brokers.orm import ORM

logger = logging.getLogger(__name__)

FUNCTIONS = frozenset(
    f"portfolio.tasks.{name}"
    for name in (
        "sync_cycle",
        "sync_now",
        "sync_stream",
        "sync_subscribed",
        "read_history",
        "thin_values",
        "tidy_up",
        "send_alerts",
        "ping_heartbeat",
        "read_market",
    )
)
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
    """The database as a queue; a task that is not one of ours is deleted before it reaches a worker."""

    def dequeue(self) -> list[tuple[int, str]]:
        return [(pk, payload) for pk, payload in super().dequeue() or () if self._accepts(pk, payload)]

    def _accepts(self, pk: int, payload: str) -> bool:
        refusal = refusal_of(payload)
        if refusal:
            logger.error("Worker: a task was refused: %s", refusal)
            self.fail(pk)
        return not refusal


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
