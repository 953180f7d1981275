"""Keeps what was made from the database until it is no longer true."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Made(Generic[Value]):
    """`until`: from then on time alone makes it untrue. None is not kept at all."""

    value: Value
    until: datetime | None


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    version: Hashable
    since: datetime
    until: datetime
    value: Value

    def is_true(self, version: Hashable, now: datetime) -> bool:
        return self.version == version and self.since <= now < self.until


class Kept(Generic[Value]):
    """The newest value of each key, for all threads of this process; of at most `most` keys."""

    def __init__(self, *, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()

    def get(
        self, key: Hashable, *, version: Hashable | None, now: datetime, make: Callable[[], Made[Value]]
    ) -> Value:
        """What is kept of this version, else what `make` returns; one thread makes it while the others wait.

        `version` is read before everything that `make` reads. None keeps nothing.
        """
        if version is None:
            return make().value
        entry = self._entries.get(key)
        if entry is not None and entry.is_true(version, now):
            return entry.value
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.is_true(version, now):
                return entry.value
            made = make()
            if made.until is not None:
                self._entries[key] = _Entry(version, now, made.until, made.value)
                self._entries.move_to_end(key)
                if len(self._entries) > self._most:
                    self._entries.popitem(last=False)
            return made.value

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
