"""A plain WebSocket client of the simulator's streams, for tests of the simulator itself."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from exchange.simulator.access import signature
from exchange.simulator.stream_server import running_streams
from tests.exchange.simulator.world import KEY, SECRET, World

Body = dict[str, Any]
WAIT_S = 5  # for a slow machine; what comes, comes at once
QUICK = {"tick_s": 0.01}


class Stream:
    """One connection. Heartbeats are answered while it reads, unless `answers` is false."""

    def __init__(self, socket: ClientConnection, world: World) -> None:
        self.socket, self.world = socket, world
        self.answers = True
        self._ids = itertools.count(1)

    def send(self, method: str, **fields: Any) -> int:
        number = next(self._ids)
        self.socket.send(json.dumps({"id": number, "method": method} | fields))
        return number

    def receive(self, timeout: float = WAIT_S) -> Body:
        message: Body = json.loads(self.socket.recv(timeout=timeout))
        if message.get("method") == "public/heartbeat" and self.answers:
            self.socket.send(json.dumps({"id": message["id"], "method": "public/respond-heartbeat"}))
        return message

    def until(self, wanted: Callable[[Body], Any]) -> Body:
        """The first message of this kind; the others are dropped."""
        end = time.monotonic() + WAIT_S
        while not wanted(message := self.receive()):
            assert time.monotonic() < end, f"it did not come, but {message}"
        return message

    def results(self, *channels: str) -> list[Body]:
        """The next message of each of these subscriptions, in the order in which they were asked for."""
        found: dict[str, Body] = {}
        while set(channels) - set(found):
            result = self.receive().get("result", {})
            found.setdefault(result.get("subscription", ""), result)
        return [found[each] for each in channels]

    def log_in(self, key: str = KEY, secret: str = SECRET, **fields: Any) -> Body:
        body = {"id": next(self._ids), "method": "public/auth", "api_key": key, "nonce": self.world.now_ms()}
        body |= fields
        self.socket.send(json.dumps({"sig": signature(body, secret)} | body))
        return self.until(lambda message: message["id"] == body["id"])

    def subscribe(self, *channels: str) -> list[Body]:
        """One answer for each channel."""
        number = self.send("subscribe", params={"channels": list(channels)}, nonce=self.world.now_ms())
        return [self.until(lambda message: message["id"] == number) for _ in channels]

    def closed(self) -> int | None:
        """Reads until the connection is closed; its code, None when it broke."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                self.receive()
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None
        raise AssertionError("it is still open")


class Streams:
    """Both streams of a world on a port. `options` are StreamOptions."""

    def __init__(self, world: World, root: str) -> None:
        self.world, self.root = world, root

    @contextmanager
    def open(self, endpoint: str = "user", **options: Any) -> Iterator[Stream]:
        settings = {"compression": None, "proxy": None, "ping_interval": None, "close_timeout": 1, **options}
        with connect(f"{self.root}/{endpoint}", **settings) as socket:
            yield Stream(socket, self.world)

    @contextmanager
    def user(self, *channels: str) -> Iterator[Stream]:
        """Logged in and subscribed; the first messages are read."""
        with self.open() as stream:
            assert stream.log_in()["code"] == 0
            if channels:
                stream.subscribe(*channels)
            yield stream

    def options(self, **changes: Any) -> None:
        self.world.control("stream", options=changes)

    def fault(self, kind: str, method: str = "*", **detail: Any) -> None:
        self.world.control("stream_faults", kind=kind, method=method, **detail)


@contextmanager
def streams_of(world: World, **options: Any) -> Iterator[Streams]:
    world.control("stream", options={**QUICK, **options})
    with running_streams(world.exchange) as root:
        yield Streams(world, root)
