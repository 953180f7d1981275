"""Over real loopback sockets: deadlines hold, connections are kept, and no POST is ever repeated."""

import contextlib
import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from exchange.client.client import Client
from exchange.client.errors import NotSent, UnknownOutcome, Unreachable
from exchange.client.ratelimit import Limiter
from exchange.client.transport import DeadlineAdapter, NoResponse, Transport, new_session
from exchange.schemas import NameSpace
from tests.exchange.replay import Clock

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" + b'{"code":0,"result":{"a":1}}'
Behave = Callable[[socket.socket, "Server"], None]


def is_whole(request: bytes) -> bool:
    """Whether the head and the body it announces are here; both may come in pieces."""
    head, separator, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    return bool(separator) and len(body) >= int(length[1] if length else 0)


class Server:
    """Accepts connections one after the other and treats each as told; counts connections and requests."""

    def __init__(self, behave: Behave) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.stopped = threading.Event()
        self._behave = behave
        self._connection: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/exchange/v1"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self.stopped.is_set():
            connection, _ = self._listener.accept()
            with connection:
                self._connection = connection
                self.connections += 1
                self._treat(connection)

    def _treat(self, connection: socket.socket) -> None:
        try:
            self._behave(connection, self)
        except OSError:
            self.requests.append(b"the client hung up")

    def hear(self, connection: socket.socket) -> bool:
        """Read one whole request; False when the client has gone."""
        heard = b""
        while not is_whole(heard):
            piece = connection.recv(65_536)
            if not piece:
                return False
            heard += piece
        self.requests.append(heard)
        return True

    def stop(self) -> None:
        self.stopped.set()
        if self._connection is not None:
            with contextlib.suppress(OSError):  # closed already
                self._connection.shutdown(socket.SHUT_RDWR)
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Behave], Server]]:
    servers: list[Server] = []

    def start(behave: Behave) -> Server:
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def answers(connection: socket.socket, server: Server) -> None:
    while server.hear(connection):
        connection.sendall(OK)


def answers_once_then_hangs_up(connection: socket.socket, server: Server) -> None:
    server.hear(connection)
    connection.sendall(OK)
    server.hear(connection)


def drips(text: bytes) -> Behave:
    def behave(connection: socket.socket, server: Server) -> None:
        server.hear(connection)
        connection.sendall(text)
        while not server.stopped.wait(0.02):
            connection.sendall(b"x")

    return behave


def stalls(connection: socket.socket, server: Server) -> None:
    server.hear(connection)
    connection.sendall(OK[:-5])
    server.hear(connection)


def quick_session(deadline_s: float) -> requests.Session:
    session = requests.Session()
    session.mount("http://", DeadlineAdapter(deadline_s))
    return session


def quick_transport(server: Server) -> Transport:
    return Transport(server.url, quick_session(0.3), (0.3, 0.3), deadline_s=0.3)


def client_at(url: str) -> Client:
    clock = Clock()
    return Client(url, "key", "secret", sleep=clock.sleep, limiter=Limiter(clock.now, clock.sleep))


def sends(head: bytes, piece: bytes, pieces: int) -> Behave:
    def behave(connection: socket.socket, server: Server) -> None:
        server.hear(connection)
        connection.sendall(head)
        for _ in range(pieces):
            connection.sendall(piece)

    return behave


PLAIN_HEAD, ZIPPED_HEAD = (
    b"HTTP/1.1 200 OK\r\n%s\r\n" % extra for extra in (b"", b"Content-Encoding: gzip\r\n")
)
HUGE = [
    sends(PLAIN_HEAD, b"[" * 2**20, 64),
    sends(ZIPPED_HEAD, gzip.compress(b"[" * 2**28), 1),
]


@pytest.mark.parametrize("behave", HUGE)
def test_an_answer_without_end_is_given_up_before_it_fills_the_memory(serve, behave):
    server = serve(behave)
    transport = Transport(server.url, new_session(), (5, 5))
    with pytest.raises(NoResponse, match="more than 8 MB") as caught:
        transport.get("public/get-tickers", {})
    assert caught.value.sent


SLOW = [
    drips(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
    drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n"),
    drips(b"HTTP/1.1 200 OK\r\n\r\n"),
    drips(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    drips(b"HTTP"),
    stalls,
]
SLOW_NAMES = ["body", "chunk", "endless body", "header", "status line", "stall"]


@pytest.mark.parametrize("behave", SLOW, ids=SLOW_NAMES)
def test_an_answer_that_does_not_end_in_time_is_cut_off(serve, behave):
    transport = quick_transport(serve(behave))
    with pytest.raises(NoResponse, match=r"within 0\.3 s") as caught:
        transport.post("private/x", b"{}")
    assert caught.value.sent


@pytest.mark.parametrize("behave", SLOW, ids=SLOW_NAMES)
def test_a_read_that_has_less_time_is_cut_off_sooner(serve, behave):
    client = client_at(serve(behave).url)
    with client.answer_within(0.1), pytest.raises(Unreachable, match=r"within 0\.[45]\d* s"):
        client.accounts()


def test_after_a_cut_the_next_request_has_a_fresh_connection(serve):
    def stalls_first(connection: socket.socket, server: Server) -> None:
        (stalls if server.connections == 1 else answers)(connection, server)

    server = serve(stalls_first)
    transport = quick_transport(server)
    with pytest.raises(NoResponse):
        transport.get("public/x", {})
    assert transport.get("public/x", {}).status == 200
    assert server.connections == 2


def test_connections_are_kept_until_the_client_is_closed(serve):
    server = serve(answers)
    client = client_at(server.url)
    for _ in range(3):
        client.oco_cancel("1")
    assert (server.connections, len(server.requests)) == (1, 3)
    client.close()
    client.oco_cancel("1")
    assert (server.connections, len(server.requests)) == (2, 4)


def test_a_write_on_a_connection_that_dies_is_sent_once(serve):
    server = serve(answers_once_then_hangs_up)
    client = client_at(server.url)
    client.oco_cancel("1")
    with pytest.raises(UnknownOutcome):
        client.oco_cancel("2")
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_read_on_a_connection_that_dies_is_asked_again_by_us(serve):
    def hangs_up(connection: socket.socket, server: Server) -> None:
        server.hear(connection)

    server = serve(hangs_up)
    client = client_at(server.url)
    with pytest.raises(Unreachable, match="the connection broke"):
        client.positions()
    assert (server.connections, client.requests) == (3, 3)


def test_a_redirect_is_not_followed(serve):
    def redirects(connection: socket.socket, server: Server) -> None:
        server.hear(connection)
        connection.sendall(
            b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )

    server = serve(redirects)
    with pytest.raises(UnknownOutcome, match="HTTP 307"):
        client_at(server.url).oco_cancel("1")
    assert len(server.requests) == 1


def test_where_nobody_listens_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent, match="no connection could be made"):
        client_at(f"http://127.0.0.1:{port}/exchange/v1").oco_cancel("1")


def test_where_nobody_listens_a_read_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = client_at(f"http://127.0.0.1:{port}/exchange/v1")
    with pytest.raises(Unreachable):
        client.open_orders(NameSpace.PLAIN)
    assert client.requests == 3
