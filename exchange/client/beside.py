"""Public reads on a connection of their own, while the signed ones go on one after the other.

Signed requests stay in one line: whether nonces may overtake each other is not documented (dossier 11.7). What
anybody may ask carries none, has limits of its own (dossier 4), and needs no lease.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, Self, TypeVar

from exchange.client.public_calls import PublicCalls

T = TypeVar("T")


class Later(Generic[T]):
    """An answer to be had later: one that `is_begun` is waited for, another one is read when it is wanted."""

    def __init__(self, read: Callable[[], T], *, is_begun: bool = False) -> None:
        self._read, self._is_begun = read, is_begun
        self._done = Event()
        self._value: list[T] = []
        self._error: Exception | None = None

    def fetch(self) -> None:
        """Read it now; whatever that raises belongs to whoever wants the answer."""
        try:
            self._value.append(self._read())
        except Exception as error:  # noqa: BLE001 - told by `answer`
            self._error = error
        finally:
            self._done.set()

    def answer(self) -> T:
        """Raises what the read raised."""
        if not self._is_begun:
            return self._read()
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value[0]


class Beside:
    """One thread with one connection, begun with the first read. `calls` are its own and have no keys."""

    def __init__(self, calls: PublicCalls) -> None:
        self._calls = calls
        self._jobs: SimpleQueue[Later[object] | None] = SimpleQueue()
        self._thread: Thread | None = None

    @classmethod
    def at(cls, base_url: str) -> Self:
        return cls(PublicCalls(base_url, "", ""))

    @property
    def sent(self) -> int:
        return self._calls.requests

    def begin(self, read: Callable[[PublicCalls], T]) -> Later[T]:
        """`read` after all that were begun before it."""
        later = Later(lambda: read(self._calls), is_begun=True)
        self._jobs.put(later)  # type: ignore[arg-type]  # whatever it answers, it is only fetched
        if self._thread is None:
            self._thread = Thread(target=self._work, args=(self._jobs,), name="public reads", daemon=True)
            self._thread.start()
        return later

    def close(self) -> None:
        """What is on its way is finished, for whoever may wait; the next read begins a new thread."""
        if self._thread is not None:
            self._jobs.put(None)
            self._jobs, self._thread = SimpleQueue(), None

    def _work(self, jobs: "SimpleQueue[Later[object] | None]") -> None:
        while (job := jobs.get()) is not None:
            job.fetch()
        self._calls.close()
