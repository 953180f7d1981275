"""One HTTP request: bytes out, bytes in, or NoResponse. No retries, redirects or proxies from the environment.

An answer must be complete within a deadline: urllib3's read timeout only counts from byte to byte.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from exchange.core.reasons import Problem, problem

DEADLINE_S = 10.0


class _DeadlineConnection(HTTPConnection):
    """A connection that is shut down when its timeout has passed since the request, however it drips."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
        deadline_timer = threading.Timer(self.timeout or DEADLINE_S, _shut_down, [self.sock])
        deadline_timer.daemon = True
        deadline_timer.start()
        try:
            response = super().getresponse()
        except BaseException:
            deadline_timer.cancel()
            raise
        response.deadline_timer = deadline_timer  # type: ignore[attr-defined]
        return response


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _DeadlineTlsConnection(_DeadlineConnection, HTTPSConnection):
    pass


class _DeadlinePool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


class _DeadlineTlsPool(HTTPSConnectionPool):
    ConnectionCls = _DeadlineTlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Keep-alive, no retries of any kind, and `deadline_s` seconds from connecting to the last byte."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _DeadlinePool, "https": _DeadlineTlsPool}

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        connect, read = options["timeout"]
        total_timeout = Timeout(total=self._deadline_s, connect=connect, read=read)
        return super().send(request, **options | {"timeout": total_timeout})


def release_connection(response: Response) -> None:
    """The answer is complete or given up: its connection may live on, or is closed."""
    deadline_timer = getattr(response.raw, "deadline_timer", None)
    if deadline_timer is not None:
        deadline_timer.cancel()
    response.close()


CHUNK_BYTES = 16_384  # of the answer as it is sent; compressed, it may become a thousand times as much
MAX_BODY_BYTES = 8 * 1024 * 1024  # decoded; the largest real answer, all instruments, has half a megabyte
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "exchange-desk"}


@dataclass(frozen=True, slots=True)
class RawResponse:
    """What came back. `date` is the header's text, "" when absent."""

    status: int
    body: bytes
    date: str


class _BodyTooLarge(OSError):
    """The answer goes on beyond what any real one has."""


class NoResponse(Exception):
    """No complete answer. `sent` is False only when certainly nothing left this machine."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


def new_session() -> requests.Session:
    """A session for the exchange: kept-alive connections, each answer complete in time, nothing repeated."""
    session = requests.Session()
    session.mount("https://", DeadlineAdapter())
    session.mount("http://", DeadlineAdapter())
    return session


class Transport:
    """Talks to one root address. `timeout` is (connect, read) in seconds; the whole answer has `deadline_s`, or
    `within_s` of a request where that is less.
    """

    def __init__(
        self,
        base_url: str,
        session: requests.Session,
        timeout: tuple[float, float],
        *,
        deadline_s: float = DEADLINE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._session = session
        self._session.trust_env = False
        self._timeout = timeout
        self._deadline_s = deadline_s
        self._monotonic = monotonic

    def get(self, method: str, query: Mapping[str, str], *, within_s: float = DEADLINE_S) -> RawResponse:
        request = requests.Request("GET", f"{self.base_url}/{method}", HEADERS, params=query)
        return self._perform(request, within_s)

    def post(self, method: str, body: bytes, *, within_s: float = DEADLINE_S) -> RawResponse:
        request = requests.Request("POST", f"{self.base_url}/{method}", HEADERS, data=body)
        return self._perform(request, within_s)

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        self._session.close()

    def _perform(self, request: requests.Request, within_s: float) -> RawResponse:
        """Raises NoResponse outside the handler: an error of requests holds the body, and with it key and signature."""
        started, limit_s = self._monotonic(), min(within_s, self._deadline_s)
        try:
            return self._send_request(request, started, limit_s)
        except (OSError, HTTPError) as exc:
            error = _no_response(exc, self._monotonic() - started, limit_s)
        raise error

    def _send_request(self, request: requests.Request, started: float, limit_s: float) -> RawResponse:
        prepared = self._session.prepare_request(request)
        connect_s, read_s = self._timeout
        timeout = (min(connect_s, limit_s), min(read_s, limit_s))
        response = self._session.send(prepared, timeout=timeout, stream=True, allow_redirects=False)
        try:
            body = self._read(response, started + limit_s)
        finally:
            release_connection(response)
        return RawResponse(response.status_code, body, response.headers.get("Date", ""))

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_content(CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise _BodyTooLarge
            self._check_deadline(deadline)
        self._check_deadline(deadline)  # an answer that was cut off can look like a short one
        return b"".join(chunks)

    def _check_deadline(self, deadline: float) -> None:
        if self._monotonic() >= deadline:
            raise TimeoutError


def _no_response(exc: Exception, elapsed: float, limit_s: float) -> NoResponse:
    if _was_never_sent(exc):
        return NoResponse(problem(Problem.NO_CONNECTION), sent=False)
    if isinstance(exc, _BodyTooLarge):
        return NoResponse(problem(Problem.ANSWER_TOO_LARGE, size=MAX_BODY_BYTES // 2**20), sent=True)
    if elapsed >= limit_s or isinstance(exc, TimeoutError | requests.Timeout):
        return NoResponse(problem(Problem.NO_ANSWER_IN_TIME, seconds=f"{limit_s:g}"), sent=True)
    return NoResponse(problem(Problem.CONNECTION_BROKE, kind=type(exc).__name__), sent=True)


def _was_never_sent(exc: Exception) -> bool:
    """Only these two prove that not a byte was sent."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if isinstance(exc, requests.ConnectionError) and exc.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
