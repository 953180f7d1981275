"""The simulated exchange as a program: on loopback, with its state in a file, until interrupted.

`python -m exchange.simulator` and `manage.py run_simulator` are the same; the first one needs no Django.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exchange.core.memory import memory_settle
from exchange.simulator.demo_account import MarketMismatch, open_account
from exchange.simulator.exchange import Exchange
from exchange.simulator.persistence import StateSaver, StateUnreadable
from exchange.simulator.server import Server, make_app, serve
from exchange.simulator.stream_server import StreamServer

PORT = 8003
STARTED_MESSAGE = (
    "Simulated exchange at {}/exchange/v1, streams at {} - "
    "nothing here is real: no real market, no real money."
)


class CannotStart(Exception):
    """The message says what is in the way."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def add_arguments(parser: argparse.ArgumentParser, *, state: Path) -> None:
    """`state`: the default of --state."""
    parser.add_argument("--port", type=int, default=PORT, help="0 takes any free port (default %(default)s)")
    parser.add_argument(
        "--stream-port", type=int, help="of the WebSocket streams (default: the next one after --port)"
    )
    parser.add_argument("--seed", type=int, help="which market to make up (default 1)")
    parser.add_argument("--speed", type=positive_float, help="how many times faster prices move (default 1)")
    parser.add_argument("--key", default="dry-run-key")
    parser.add_argument("--secret", default="dry-run-secret")
    parser.add_argument("--state", type=Path, default=state)


def run(options: dict[str, Any], *, print_line: Callable[[str], None]) -> None:
    """Returns, or raises KeyboardInterrupt, when the process is told to stop. Raises CannotStart."""
    path: Path = options["state"]
    account = {name: options[name] for name in ("key", "secret", "seed", "speed")}
    try:
        exchange, prices = open_account(path, now_ms=now_ms, **account)
    except (StateUnreadable, MarketMismatch) as error:
        raise CannotStart(str(error)) from error
    server = bind_server(make_app(exchange), options["port"])
    try:
        streams = bind_streams(exchange, stream_port(options["port"], options["stream_port"]))
    except CannotStart:
        server.close()
        raise
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler)
    memory_settle()
    with StateSaver(path, exchange, prices):
        print_line(STARTED_MESSAGE.format(server.address, streams.address))
        streams.start()
        try:
            server.run()
        finally:
            streams.stop()


def positive_float(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def stream_port(port: int, requested: int | None) -> int:
    if requested is not None:
        return requested
    return port + 1 if port else 0


def bind_server(app: Any, port: int) -> Server:
    try:
        return serve(app, port=port)
    except OSError as error:
        raise CannotStart(f"Port {port} is taken ({error.strerror}); choose another with --port") from error


def bind_streams(exchange: Exchange, port: int) -> StreamServer:
    try:
        return StreamServer(exchange, port=port)
    except OSError as error:
        raise CannotStart(
            f"Port {port} is taken ({error.strerror}); choose another with --stream-port"
        ) from error
