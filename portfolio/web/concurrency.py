"""How many requests are worked on at a time, whatever server runs the application.

run_web has fewer threads than that. runserver has a thread for each client: without a limit a hundred requests at once
take all connections of the database.
"""

from collections.abc import Callable, Iterable, Iterator
from threading import BoundedSemaphore
from typing import Any

MAX_REQUESTS = 16
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class LimitedApplication:
    """A WSGI application; further requests wait until one of `most` has ended, with its connection."""

    def __init__(self, application: Application, *, most: int = MAX_REQUESTS) -> None:
        self._application = application
        self._places = BoundedSemaphore(most)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self._places.acquire()
        try:
            chunks = self._application(environ, start_response)
        except BaseException:
            self._places.release()
            raise
        return _Response(chunks, self._places)


class _Response:
    """Its place is free once the server has closed it, which WSGI demands for every response."""

    def __init__(self, chunks: Iterable[bytes], places: BoundedSemaphore) -> None:
        self._chunks = chunks
        self._places: BoundedSemaphore | None = places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        finally:
            if self._places is not None:
                self._places.release()
                self._places = None
