"""The user stream of a history, without sockets and threads: simulator, session, listener and consumer in one process.

What the simulator says is what the desk reads: a connection here only lacks the wire. Its troubles are those of the
simulator (`stream_faults`), and time passes on the world's clock. All that knows how the worker is told of a message
is in `Ears`.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import Empty
from typing import Any, Self
from unittest import mock

from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from exchange.client import client as client_module
from exchange.client.auth import Credentials
from exchange.client.errors import ExchangeError, Unreachable
from exchange.services.lease import STREAM_LEASE, Lease, LeaseLost, lease_take
from exchange.simulator.exchange import Exchange
from exchange.simulator.stream_faults import Outgoing
from exchange.simulator.stream_session import StreamSession as SimulatorSession
from exchange.stream import listener as listener_module
from exchange.stream.listener import StreamListener, Subscribed, reconnect_delay
from exchange.stream.messages import StreamEvent
from exchange.stream.session import CONNECT, StreamSession
from portfolio.worker import stream as worker_stream
from portfolio.worker.fills import FillProtection
from tests.exchange.simulator.world import KEY, SECRET, World

MAX_STEPS = 12  # of the consumer, each half a second, before the history goes on
PONGS_MISSED_S = 10.0  # when the library gives up a connection without pongs (ping and its answer, 5 s each)
BROKEN, GIVEN_UP = None, 1011
Event = StreamEvent | Subscribed


class FeedSocket:
    """A connection to the simulator's user stream: what it sends is due at a moment of the world."""

    def __init__(self, world: World) -> None:
        self._world, self._exchange = world, world.exchange
        self._waiting: list[tuple[float, int, Outgoing]] = []
        self._numbers = itertools.count()
        self._dead_at: float | None = None
        with self._exchange.lock:
            self._session = SimulatorSession(self._exchange, "user", self._put, world.seconds())
            self._exchange.account_feed.sessions.append(self._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._exchange.lock:
            self._exchange.account_feed.sessions.remove(self._session)

    def _put(self, each: Outgoing) -> None:
        heapq.heappush(self._waiting, (self._world.seconds() + each.delay_s, next(self._numbers), each))

    def send(self, text: str) -> None:
        with self._exchange.lock:
            self._exchange.advance()
            self._session.receive(text, self._world.seconds())

    def has_due(self) -> bool:
        """Whether `recv` has something to say at this moment."""
        now = self._world.seconds()
        with self._exchange.lock:
            self._session.tick(now)
        if self._dead_at is not None:
            return now - self._dead_at >= PONGS_MISSED_S
        return bool(self._waiting) and self._waiting[0][0] <= now

    def recv(self, timeout: float) -> str:
        """The next message; time passes while there is none. Raises TimeoutError, ConnectionClosed."""
        until = self._world.seconds() + timeout
        while True:
            while self.has_due():
                if self._dead_at is not None:
                    raise ConnectionClosedError(None, Close(GIVEN_UP, ""))
                text = self._act(heapq.heappop(self._waiting)[2])
                if text is not None:
                    return text
            left = until - self._world.seconds()
            if left <= 0:
                raise TimeoutError
            due = self._waiting[0][0] - self._world.seconds() if self._waiting else left
            self._world.tick(max(min(due, left), 0.001))

    def _act(self, each: Outgoing) -> str | None:
        if each.action == "send":
            return each.text
        if each.action == "dead":
            self._dead_at = self._world.seconds()
        elif each.action == "close":
            raise ConnectionClosedError(Close(each.code, each.reason), None)
        elif each.action == "reset":
            raise ConnectionClosedError(BROKEN, None)
        return None


class FeedSession(StreamSession):
    """The desk's session on such a connection."""

    def __init__(self, feed: StreamFeed) -> None:
        world = feed.world
        super().__init__(
            "ws://simulator",
            Credentials(KEY, SECRET),
            now_ms=feed.now_ms,
            monotonic=world.seconds,
            wait=world.tick,
        )
        self._feed = feed

    def _connect(self) -> Any:
        if self._feed.is_unreachable:
            raise Unreachable(method=CONNECT, message="no connection to the stream's server")
        self.socket = FeedSocket(self._feed.world)
        return self.socket


class FeedListener(StreamListener):
    """Does in `pump` what its thread does otherwise, as far as it can without waiting."""

    def __init__(self, feed: StreamFeed, inbox: Any) -> None:
        super().__init__(
            lambda: FeedSession(feed), inbox, clock=feed.now, monotonic=feed.world.seconds, rng=feed.rng
        )
        self._feed, self._seconds = feed, feed.world.seconds
        self._open: ExitStack | None = None
        self._session: Any = None
        self._failures, self._retry_at = 0, 0.0

    def pump(self) -> None:
        """All that is due. A connection is made between cycles only, because that takes time."""
        try:
            if self._open is None and not self._feed.is_in_cycle:
                self._try_to_connect()
            while self._open is not None and not self._wake.is_set() and self._session.socket.has_due():
                event = self._session.receive()
                if event is not None:
                    self._change(last_message_at=self._clock())
                    self._inbox.put(event)
        except ExchangeError as error:
            self._fail(error)
        if self._wake.is_set() and self._open is not None:
            self.close()
            self._set_down(None)

    def _try_to_connect(self) -> None:
        is_told = self._wake.is_set()
        if not is_told and (self.state.needs_person or self._seconds() < self._retry_at):
            return
        self._wake.clear()
        with ExitStack() as stack:
            self._session = stack.enter_context(self._open_session())
            self._open = stack.pop_all()
        self._failures = 0
        self._begin_session()

    def _fail(self, error: ExchangeError) -> None:
        self.close()
        self._failures += 1
        self._retry_at = self._seconds() + reconnect_delay(self._failures, self._rng)
        self._set_down(error)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class FeedInbox:
    """The queue between listener and consumer; waiting for a message lets the world's time pass."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events: deque[Event] = deque()
        self.pump: Callable[[], None] = lambda: None
        self.taken = 0

    def put(self, event: Event) -> None:
        self._events.append(event)

    def empty(self) -> bool:
        self.pump()
        return not self._events

    def get(self, block: bool = True, timeout: float | None = None) -> Event:
        if self.empty() and block and timeout:
            self._world.tick(timeout)
        if self.empty():
            raise Empty
        self.taken += 1
        return self._events.popleft()

    def get_nowait(self) -> Event:
        return self.get(block=False)


class Ears:
    """A worker that listens: the only place that knows what the worker calls when a message arrives."""

    def __init__(self, feed: StreamFeed, lease: Lease) -> None:
        self.inbox = FeedInbox(feed.world)
        self.listener = FeedListener(feed, self.inbox)
        self.inbox.pump = self.listener.pump
        inbox: Any = self.inbox
        self._consumer = worker_stream.StreamConsumer(
            lease, self.listener, inbox, monotonic=feed.world.seconds
        )

    def step(self) -> None:
        """Raises LeaseLost."""
        self._consumer.step()

    def close(self) -> None:
        self.listener.close()
        self._consumer.close()


class StreamFeed:
    """The stream of one history. `tasks`: the functions that the consumer has queued, with their arguments."""

    def __init__(self, world: World, *, now: Callable[[], Any], now_ms: Callable[[], int], rng: Any) -> None:
        self.world, self.now, self.now_ms, self.rng = world, now, now_ms, rng
        self.tasks: list[tuple[str, tuple[Any, ...]]] = []
        self.is_in_cycle = self.is_unreachable = False
        self.ears: Ears | None = None

    @contextlib.contextmanager
    def patched(self) -> Iterator[None]:
        """What the worker queues is kept, and nothing is logged of broken connections."""
        with (
            mock.patch.object(
                worker_stream, "async_task", lambda *task, **_: self.tasks.append((task[0], task[1:]))
            ),
            mock.patch.object(listener_module.log, "disabled", True),
        ):
            yield

    @property
    def exchange(self) -> Exchange:
        return self.world.exchange

    def step(self) -> bool:
        """One step of the consumer; whether a message came. A worker begins to listen when it gets the lease."""
        if self.ears is None:
            lease = lease_take(purpose="stream", name=STREAM_LEASE)
            if lease is None:
                return False
            self.ears = Ears(self, lease)
        before = self.ears.inbox.taken
        try:
            self.ears.step()
        except LeaseLost:
            self.forget()
            return False
        return self.ears.inbox.taken > before

    def forget(self) -> None:
        """The listening process has ended: its lease stays until it expires, and what it queued is lost."""
        if self.ears is not None:
            self.ears.close()
        self.ears = None
        self.tasks.clear()

    def drop(self, code: int | None) -> None:
        """The exchange closes the connection with a code, or resets it."""
        with self.exchange.lock:
            for session in list(self.exchange.account_feed.sessions):
                session.drop(code)


def token_of(before_request: Callable[[str], None]) -> int | None:
    """Of the lease under which a client sends at this moment: a cycle's own, or that of the fill it protects."""
    owner: Any = getattr(before_request, "__self__", None)
    lease = owner._lease if isinstance(owner, FillProtection) else owner
    return lease.token if isinstance(lease, Lease) else None


def client_factories() -> list[str]:
    """Where programs of ours make their client, as targets for a patch."""
    original = client_module.client_from_settings
    return [
        f"{name}.client_from_settings"
        for name, module in sorted(sys.modules.items())
        if name.split(".")[0] in ("oco", "portfolio", "exchange")
        and module is not client_module
        and getattr(module, "client_from_settings", None) is original
    ]
