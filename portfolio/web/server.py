"""The web server: waitress, which reads a request whole before a thread works on it, with limits on its time.

So a slow client occupies a place, but no thread. A place is freed when a request takes too long to arrive, and the
oldest unfinished one makes room when all are taken.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from threading import BoundedSemaphore
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

THREADS = 8
PLACES = 900  # below the usual limit of 1024 open files
REQUEST_SECONDS = 20  # from the first byte of the header to the last of the body
IDLE_SECONDS = 15  # without a byte, in either direction
CHECK_SECONDS = 2
MAX_HEADER_BYTES = 64 * 1024
MAX_BODY_BYTES = 1024 * 1024  # Django refuses far less, but must not be made to store more
MAX_REQUESTS = 16
Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Channel(HTTPChannel):  # type: ignore[misc]  # the package is not typed
    """A connection that knows since when its request is unfinished."""

    since: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = self.creation_time

    @property
    def is_waiting(self) -> bool:
        """No thread works for it."""
        return not self.requests

    def received(self, data: bytes) -> Any:
        if self.request is None:
            self.since = time.time()
        return super().received(data)


class Server(TcpWSGIServer):  # type: ignore[misc]  # the package is not typed
    channel_class = Channel

    def __init__(self, *args: Any, request_seconds: float = REQUEST_SECONDS, **kwargs: Any) -> None:
        self.request_seconds = request_seconds
        super().__init__(*args, **kwargs)

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.request is not None and now - channel.since > self.request_seconds:
                channel.will_close = True

    def handle_accept(self) -> None:
        if len(self.active_channels) >= self.adj.connection_limit - 10:
            waiting = [one for one in self.active_channels.values() if one.is_waiting and not one.will_close]
            if waiting:
                min(waiting, key=lambda channel: channel.since).handle_close()
        super().handle_accept()


def create_web_server(
    application: Callable[..., Any],
    *,
    host: str,
    port: int,
    places: int = PLACES,
    request_seconds: float = REQUEST_SECONDS,
) -> Server:
    """Listens already. Raises OSError when the address is taken."""
    adjustments = Adjustments(
        host=host,
        port=port,
        threads=THREADS,
        connection_limit=places,
        channel_timeout=IDLE_SECONDS,
        cleanup_interval=min(CHECK_SECONDS, request_seconds),
        max_request_header_size=MAX_HEADER_BYTES,
        max_request_body_size=MAX_BODY_BYTES,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=False,  # what they mean is decided in portfolio.security.access
        ident=None,
    )
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(adjustments.threads)
    return Server(
        application,
        {},
        dispatcher=dispatcher,
        adj=adjustments,
        sockinfo=adjustments.listen[0],
        request_seconds=request_seconds,
    )


# How many requests are worked on at a time, whatever server runs the application.
#
# run_web has fewer threads than that. runserver has a thread for each client: without a limit a hundred requests at
# once take all connections of the database.


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
