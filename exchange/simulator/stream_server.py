"""WebSocket in front of the exchange: the user stream and the market stream on a loopback port.

Each connection has a thread that reads and one that writes, so a slow reader holds up nobody else. A third thread lets
time pass on the exchange while a stream is open: what happens without a request reaches the streams too.
"""

from __future__ import annotations

import heapq
import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from ipaddress import ip_address
from threading import Condition, Event, Thread, Timer

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import Server, ServerConnection, serve

from exchange.simulator.exchange import Exchange
from exchange.simulator.stream_channels import Endpoint
from exchange.simulator.stream_faults import Outgoing
from exchange.simulator.stream_session import StreamSession

ROOT = "/exchange/v1"
ENDPOINTS: dict[str, Endpoint] = {f"{ROOT}/user": "user", f"{ROOT}/market": "market"}
MAX_WAITING = 10_000  # messages; a reader that falls further behind loses the connection
CLOSE_TIMEOUT_S = 1
MAX_WAIT_S = 1.0
NO_LINGER = struct.pack("ii", 1, 0)


class StreamConnection(ServerConnection):
    """`is_dead`: the connection stays open and reads, and nothing leaves it, not even a pong."""

    is_dead = False

    def send_data(self) -> None:
        if not self.is_dead:
            super().send_data()
        else:
            self.protocol.data_to_send()

    def reset(self) -> None:
        """The other side sees a reset, not an end."""
        self.is_dead = True
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.close_socket()

    def cut(self) -> None:
        """Ends it even while a thread waits for the other side to read."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Outbox:
    """What one connection has still to do, by due time. `put` never waits."""

    def __init__(self, on_overflow: Callable[[], None]) -> None:
        self._on_overflow = on_overflow
        self._waiting: list[tuple[float, int, Outgoing]] = []
        self._numbers = itertools.count()
        self._condition = Condition()
        self._is_closed = False

    def put(self, each: Outgoing) -> None:
        with self._condition:
            due = time.monotonic() + each.delay_s
            heapq.heappush(self._waiting, (due, next(self._numbers), each))
            self._condition.notify()
            is_full = len(self._waiting) > MAX_WAITING
        if is_full:
            self._on_overflow()

    def close(self) -> None:
        with self._condition:
            self._is_closed = True
            self._condition.notify()

    def get(self, timeout_s: float) -> Outgoing | None:
        """The next one that is due, or None after the timeout or `close`."""
        with self._condition:
            first = self._due_in()
            if first is None or first > 0:
                self._condition.wait(max(timeout_s if first is None else min(first, timeout_s), 0))
            first = self._due_in()
            if self._is_closed or first is None or first > 0:
                return None
            return heapq.heappop(self._waiting)[2]

    def _due_in(self) -> float | None:
        return self._waiting[0][0] - time.monotonic() if self._waiting and not self._is_closed else None


class StreamServer:
    """Both streams of an exchange. The port is bound at once; they are served until `stop`."""

    def __init__(self, exchange: Exchange, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 is any free one. ValueError for a host that is not loopback, OSError for a port in use."""
        if not ip_address(host).is_loopback:
            raise ValueError(f"The simulator only serves this machine, not {host}")
        self._exchange = exchange
        self._stopped = Event()
        bound = socket.create_server((host, port))
        self.address = f"ws://{host}:{bound.getsockname()[1]}{ROOT}"
        self._server: Server = serve(
            self._handle,
            sock=bound,
            process_request=refuse_other_paths,
            create_connection=StreamConnection,
            compression=None,
            server_header=None,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            origins=[None],
        )
        self._threads = [
            Thread(target=self._server.serve_forever, name="simulator-streams", daemon=True),
            Thread(target=self._let_time_pass, name="simulator-time", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Closes every connection with 1001 and waits for its threads; one that nobody reads is cut."""
        self._stopped.set()
        cutter = Timer(CLOSE_TIMEOUT_S, self._cut_all)
        cutter.start()
        self._server.shutdown()
        cutter.cancel()
        for thread in self._threads:
            thread.join()

    def _cut_all(self) -> None:
        for connection in self._server.connections:
            if isinstance(connection, StreamConnection):
                connection.cut()

    def _let_time_pass(self) -> None:
        exchange = self._exchange
        while not self._stopped.wait(exchange.account_feed.options.tick_s):
            if exchange.account_feed.sessions:
                with exchange.lock:
                    exchange.advance()

    def _handle(self, connection: ServerConnection) -> None:
        assert isinstance(connection, StreamConnection)
        assert connection.request is not None
        exchange, outbox = self._exchange, Outbox(connection.cut)
        endpoint = ENDPOINTS[connection.request.path]
        with exchange.lock:
            session = StreamSession(exchange, endpoint, outbox.put, time.monotonic())
            exchange.account_feed.sessions.append(session)
        writer = Thread(target=self._write, args=(connection, session, outbox), daemon=True)
        writer.start()
        try:
            self._read(connection, session)
        finally:
            with exchange.lock:
                exchange.account_feed.sessions.remove(session)
            outbox.close()
            writer.join()

    def _read(self, connection: StreamConnection, session: StreamSession) -> None:
        with suppress(ConnectionClosed):
            while True:
                text = connection.recv()
                with self._exchange.lock:
                    self._exchange.advance()
                    if isinstance(text, str):
                        session.receive(text, time.monotonic())

    def _write(self, connection: StreamConnection, session: StreamSession, outbox: Outbox) -> None:
        """Until the connection is closed, by whichever side."""
        with suppress(ConnectionClosed):
            while connection.protocol.state is State.OPEN:
                with self._exchange.lock:
                    due = session.next_due_s()
                    if due <= time.monotonic():
                        session.tick(time.monotonic())
                        continue
                each = outbox.get(min(due - time.monotonic(), MAX_WAIT_S))
                if each is not None:
                    act(connection, each)


def act(connection: StreamConnection, each: Outgoing) -> None:
    """Raises ConnectionClosed. A dead connection only swallows."""
    if each.action == "dead" or connection.is_dead:
        connection.is_dead = True
    elif each.action == "send":
        connection.send(each.text)
    elif each.action == "ping":
        connection.ping()
    elif each.action == "close":
        connection.close(each.code, each.reason)
    else:
        connection.reset()


def refuse_other_paths(connection: ServerConnection, request: Request) -> Response | None:
    if request.path in ENDPOINTS:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, "not found\n")


@contextmanager
def running_streams(exchange: Exchange) -> Iterator[str]:
    """Serve both streams on any free port; yields their root: add /user or /market."""
    server = StreamServer(exchange)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
