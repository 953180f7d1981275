"""One HTTP exchange: bytes out, bytes in, or Lost. No retries, no redirects, no proxies from the environment."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from exchange.client.deadline import DEADLINE_S, DeadlineAdapter, release

PIECE = 65_536  # bytes
HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "exchange-desk"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `date` is the header's text, "" when absent."""

    status: int
    body: bytes
    date: str


class Lost(Exception):
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
    """Talks to one root address. `timeout` is (connect, read) in seconds; the whole answer has `deadline_s`."""

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

    def get(self, method: str, query: Mapping[str, str]) -> Answer:
        return self._exchange(requests.Request("GET", f"{self.base_url}/{method}", HEADERS, params=query))

    def post(self, method: str, body: bytes) -> Answer:
        return self._exchange(requests.Request("POST", f"{self.base_url}/{method}", HEADERS, data=body))

    def close(self) -> None:
        """Close the kept connections; the next request opens new ones."""
        self._session.close()

    def _exchange(self, request: requests.Request) -> Answer:
        """Raises Lost outside the handler: an error of requests holds the body, and with it key and signature."""
        started = self._monotonic()
        try:
            return self._ask(request, started + self._deadline_s)
        except (OSError, HTTPError) as exc:
            lost = self._lost(exc, self._monotonic() - started)
        raise lost

    def _ask(self, request: requests.Request, deadline: float) -> Answer:
        prepared = self._session.prepare_request(request)
        response = self._session.send(prepared, timeout=self._timeout, stream=True, allow_redirects=False)
        try:
            body = self._read(response, deadline)
        finally:
            release(response)
        return Answer(response.status_code, body, response.headers.get("Date", ""))

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        pieces = []
        for piece in response.iter_content(PIECE):
            pieces.append(piece)
            self._check(deadline)
        self._check(deadline)  # an answer that was cut off can look like a short one
        return b"".join(pieces)

    def _check(self, deadline: float) -> None:
        if self._monotonic() >= deadline:
            raise TimeoutError

    def _lost(self, exc: Exception, elapsed: float) -> Lost:
        if _never_left(exc):
            return Lost("no connection could be made", sent=False)
        if elapsed >= self._deadline_s or isinstance(exc, TimeoutError | requests.Timeout):
            return Lost(f"no complete answer within {self._deadline_s:g} s", sent=True)
        return Lost(f"the connection broke ({type(exc).__name__})", sent=True)


def _never_left(exc: Exception) -> bool:
    """Only these two prove that not a byte was sent."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if isinstance(exc, requests.ConnectionError) and exc.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
