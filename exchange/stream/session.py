"""One connection to the user stream: connect, authenticate, subscribe, then messages until it ends (additions A1).

It never sends an order, and never asks the exchange to cancel orders when the connection ends: exits must survive it.
"""

import contextlib
import itertools
import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from exchange.client.auth import Credentials
from exchange.client.base import system_ms
from exchange.client.errors import ExchangeError, RequestKind, Unreachable
from exchange.client.responses import ApiRequest, UnreadableResponse, classify_response
from exchange.stream.messages import (
    AUTH,
    ESSENTIAL,
    OTHER_SPELLINGS,
    RESPOND_HEARTBEAT,
    SUBSCRIBE,
    Answer,
    Channel,
    Heartbeat,
    Message,
    StreamEvent,
    parse_message,
)

CONNECT = "connect"
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds. The wait before the first request is the exchange's own advice: its limits are pro-rated."""

    before_auth: float = 1.0
    connect: float = 10.0
    answer: float = 10.0
    other_answers: float = 2.0  # after one that names no channel
    ping: float = 5.0
    ping_answer: float = 5.0
    poll: float = 1.0
    silence: float = 70.0  # two heartbeats of 30 s missed, although the peer answers our pings


@dataclass(slots=True)
class SessionReport:
    """What a session has seen so far, for whoever shows it. `refused`: channels that the exchange does not give;
    `unreadable`: messages and rows that could not be read.
    """

    refused: dict[Channel, ExchangeError] = field(default_factory=dict)
    unreadable: int = 0


class StreamSession:
    """A context manager. Raises ExchangeError: AuthError where only a person can help, Unreachable where trying
    again may. Used by one thread; `wait` returns early, and true, when the program stops.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        timings: Timings | None = None,
        now_ms: Callable[[], int] = system_ms,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.report = SessionReport()
        self._url, self._credentials = url, credentials
        self._timings = timings or Timings()
        self._now_ms, self._monotonic, self._wait = now_ms, monotonic, wait
        self._ids = itertools.count(1)
        self._events: deque[StreamEvent] = deque()
        self._last_message_at = 0.0

    def __enter__(self) -> Self:
        """Connected, authenticated and subscribed. What comes from now on is missed by nobody who reads on."""
        with contextlib.ExitStack() as stack:
            self._socket = stack.enter_context(self._connect())
            self._last_message_at = self._monotonic()
            self._wait(self._timings.before_auth)
            self._authenticate()
            self._subscribe()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def receive(self) -> StreamEvent | None:
        """The next event; None after a second without one, so that the caller can look about."""
        if not self._events:
            for answer in self._take_messages(self._timings.poll):
                self._check_subscription(answer, {})
        return self._events.popleft() if self._events else None

    def _authenticate(self) -> None:
        request_id, nonce = next(self._ids), self._now_ms()
        self._send(self._credentials.stream_body(AUTH, id=request_id, nonce=nonce))
        request = ApiRequest(method=AUTH, kind=RequestKind.READ, request_id=request_id)
        until = self._monotonic() + self._timings.answer
        while self._monotonic() < until:
            for answer in self._take_messages(self._timings.poll):
                if error := _refusal(request, answer):
                    raise error
                if answer.envelope.method == AUTH:
                    return
        raise Unreachable(method=AUTH, message="no answer in time")

    def _subscribe(self) -> None:
        """Each channel has an answer of its own, and each is checked (additions K5). Older documents show one answer
        to them all that names none: then a refused channel is the one that says so.
        """
        waiting = {channel: channel.value for channel in Channel}
        self._request_channels(waiting.values())
        until, is_acknowledged = self._monotonic() + self._timings.answer, False
        while waiting.keys() & ESSENTIAL and self._monotonic() < until:
            for answer in self._take_messages(self._timings.poll):
                self._check_subscription(answer, waiting)
                if answer.channel is None and not is_acknowledged:
                    until, is_acknowledged = self._monotonic() + self._timings.other_answers, True
        if is_acknowledged:
            return
        if missing := sorted(waiting.keys() & ESSENTIAL):
            raise Unreachable(method=SUBSCRIBE, message=f"{', '.join(missing)}: no answer in time")

    def _check_subscription(self, answer: Answer, waiting: dict[Channel, str]) -> None:
        channel = answer.channel
        request = ApiRequest(method=SUBSCRIBE, kind=RequestKind.READ)
        error = _refusal(request, answer)
        if error is None:
            if channel is not None:
                waiting.pop(channel, None)
            return
        if channel is None:
            raise error
        spelling = OTHER_SPELLINGS.get(channel)
        if spelling is not None and waiting.get(channel) == channel.value:
            waiting[channel] = spelling
            self._request_channels([spelling])
        elif channel in ESSENTIAL:
            raise error
        else:
            waiting.pop(channel, None)
            self.report.refused[channel] = error

    def _request_channels(self, names: Iterable[str]) -> None:
        request = {"id": next(self._ids), "method": SUBSCRIBE, "params": {"channels": list(names)}}
        self._send(json.dumps({**request, "nonce": self._now_ms()}))

    def _take_messages(self, seconds: float) -> list[Answer]:
        """Wait for one message and do what it asks for: events are kept, heartbeats answered, answers returned."""
        try:
            text = self._socket.recv(timeout=seconds)
        except TimeoutError:
            self._check_silence()
            return []
        except ConnectionClosed as closed:
            reason = _close_problem(closed)
        else:
            self._last_message_at = self._monotonic()
            return [one for one in self._read(text) if isinstance(one, Answer)]
        raise Unreachable(method=SUBSCRIBE, message=reason)

    def _read(self, text: str | bytes) -> list[Message]:
        try:
            messages = parse_message(text, self._credentials.redact)
        except UnreadableResponse:
            self.report.unreadable += 1
            return []
        for message in messages:
            if isinstance(message, Heartbeat):
                self._send(json.dumps({"id": message.id, "method": RESPOND_HEARTBEAT}))
            elif isinstance(message, StreamEvent):
                self.report.unreadable += message.unreadable
                self._events.append(message)
        return messages

    def _send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except ConnectionClosed as closed:
            reason = _close_problem(closed)
        else:
            return
        raise Unreachable(method=SUBSCRIBE, message=reason)

    def _check_silence(self) -> None:
        silent = self._monotonic() - self._last_message_at
        if silent > self._timings.silence:
            raise Unreachable(method=SUBSCRIBE, message=f"no message for {silent:.0f} s")

    def _connect(self) -> ClientConnection:
        timings = self._timings
        try:
            return connect(
                self._url,
                compression=None,
                proxy=None,
                open_timeout=timings.connect,
                ping_interval=timings.ping,
                ping_timeout=timings.ping_answer,
                close_timeout=timings.poll,
                max_size=MAX_MESSAGE_BYTES,
            )
        except (OSError, WebSocketException) as error:
            reason = _connect_problem(error)
        raise Unreachable(method=CONNECT, message=reason)


def _refusal(request: ApiRequest, answer: Answer) -> ExchangeError | None:
    """Consent is consent, to whichever request: several channels are asked for at once."""
    return None if answer.envelope.code == 0 else classify_response(request, answer.envelope, None)


def _connect_problem(error: Exception) -> str:
    if isinstance(error, InvalidStatus):
        return f"the stream's server refuses connections (HTTP {error.response.status_code})"
    if isinstance(error, TimeoutError):
        return "the stream's server does not answer in time"
    return "no connection to the stream's server"


def _close_problem(closed: ConnectionClosed) -> str:
    """In words; 1006 stands for a connection that broke without a word (dossier 9.1)."""
    code = closed.rcvd.code if closed.rcvd else None
    if code is None:
        return "the connection broke"
    return f"the exchange closed the connection ({code})"
