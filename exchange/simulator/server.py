"""HTTP in front of the exchange: the WSGI application, and a server on a loopback port.

The protocol is under /exchange/v1/, the controls are under /_control/ (loopback only).
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from email.utils import formatdate
from http import HTTPStatus
from ipaddress import ip_address
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

from waitress import wasyncore
from waitress.server import create_server

from exchange.core.hosts import is_loopback_name
from exchange.simulator import control, faults, protocol, stale_reads
from exchange.simulator.exchange import Exchange
from exchange.simulator.faults import ConnectionDropped, FaultRule, Reply, rules_in_phase
from exchange.simulator.protocol import ApiResponse, Request

API, CONTROL = "/exchange/v1/", "/_control/"
IN_PROCESS = "simulator.in_process"
LOOPBACK = ("127.0.0.1", "::1", "localhost", "")
THREADS = 4
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class App:
    """Callable by any WSGI server and by the adapter. `sleep` delays slow answers."""

    def __init__(self, exchange: Exchange, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.exchange = exchange
        self.sleep = sleep
        self.snapshots = stale_reads.SnapshotHistory()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        reply = self.handle(environ)
        start_response(f"{reply.status} {phrase(reply.status)}", self.headers(reply))
        if reply.broken and environ.get(IN_PROCESS):
            raise ConnectionDropped
        return self.body(reply)

    def handle(self, environ: Environ) -> Reply:
        path = environ.get("PATH_INFO", "")
        if path.startswith(API):
            return self.handle_api_call(build_request(environ, path.removeprefix(API)))
        if path.startswith(CONTROL):
            return self.handle_control_call(environ, path.removeprefix(CONTROL).strip("/"))
        return Reply(404, b"not found", faults.TEXT)

    def handle_api_call(self, request: Request) -> Reply:
        """Faults before, the call itself under the lock, faults after."""
        exchange = self.exchange
        with exchange.lock:
            rules = exchange.faults.matching_rules(request.method)
        for rule in rules:
            seconds = float(rule.detail.get("seconds", 1))
            if rule.kind == "delay":
                self.sleep(seconds)
            if rule.kind == "process_later":
                exchange.schedule(
                    exchange.now() + round(seconds * 1000), lambda: protocol.response(exchange, request)
                )
        early = faults.apply_before(exchange, request, rules_in_phase(rules, "before"))
        if early is not None:
            return early
        reply = faults.reply_from(self.process(request, rules))
        return faults.apply_after(exchange, request, rules_in_phase(rules, "after"), reply)

    def process(self, request: Request, rules: list[FaultRule]) -> ApiResponse:
        exchange = self.exchange
        with exchange.lock:
            exchange.advance()
            self.snapshots.record(exchange)
            exchange.cancels_ignored = any(rule.kind == "ignore_cancel" for rule in rules)
            try:
                response = self.stale_response(request, rules, protocol.response(exchange, request))
            finally:
                exchange.cancels_ignored = False
            response = faults.apply_response_faults(exchange, rules, response)
            self.snapshots.record(exchange)
        return response

    def stale_response(self, request: Request, rules: list[FaultRule], response: ApiResponse) -> ApiResponse:
        for rule in rules:
            if rule.kind == "stale":
                ms = self.exchange.at_ms - int(float(rule.detail.get("age_s", 5)) * 1000)
                response = stale_reads.stale_response(
                    self.exchange, request, response, self.snapshots.as_of(ms), ms
                )
        return response

    def handle_control_call(self, environ: Environ, verb: str) -> Reply:
        """Refused to other machines, and to web pages open on this one (Origin, or another name in Host)."""
        is_local = environ.get("REMOTE_ADDR", "") in LOOPBACK and is_loopback_name(
            environ.get("HTTP_HOST", "")
        )
        if not is_local or environ.get("HTTP_ORIGIN"):
            return Reply(403, b'{"error":"loopback only"}')
        body = parse_body(environ)
        with self.exchange.lock:
            self.exchange.advance()
            status, result = control.run(self.exchange, verb, body if isinstance(body, dict) else {})
        return Reply(status, faults.to_json(result))

    def headers(self, reply: Reply) -> list[tuple[str, str]]:
        """The Date header is the exchange's own clock, including its error."""
        length = len(reply.body) + (100 if reply.broken else 0)
        return [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(length)),
            ("Date", formatdate(self.exchange.now() // 1000, usegmt=True)),
        ]

    def body(self, reply: Reply) -> Iterator[bytes]:
        if reply.broken:
            yield b"{"  # fewer bytes than Content-Length: the server closes the connection
            return
        half = len(reply.body) // 2 if reply.pause_s else 0
        yield reply.body[:half]
        if reply.pause_s:
            self.sleep(reply.pause_s)
        yield reply.body[half:]


def make_app(exchange: Exchange, *, sleep: Callable[[float], None] = time.sleep) -> App:
    return App(exchange, sleep=sleep)


def build_request(environ: Environ, method: str) -> Request:
    body = parse_body(environ)
    return Request(
        verb=environ.get("REQUEST_METHOD", "GET"),
        method=method,
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        body=body if isinstance(body, dict) else None,
        is_json=environ.get("CONTENT_TYPE", "").split(";")[0].strip() == faults.JSON,
    )


def parse_body(environ: Environ) -> Any:
    """The JSON body, decimals exact; None when there is none or it is not JSON."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        return json.loads(environ["wsgi.input"].read(length), parse_float=Decimal) if length else None
    except ValueError:
        return None


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


# On a port


class Server:
    """A WSGI app bound to a loopback port. The port is bound at once; `run` serves until `stop`."""

    def __init__(self, app: Any, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 is any free one. ValueError for a host that is not loopback, OSError for a port in use."""
        if not ip_address(host).is_loopback:
            raise ValueError(f"The simulator only serves this machine, not {host}")
        bound = socket.create_server((host, port))
        self._server = create_server(app, sockets=[bound], threads=THREADS, ident=None)
        self.address = f"http://{host}:{self._server.effective_port}"

    def run(self) -> None:
        """Returns after `stop`, or after a KeyboardInterrupt."""
        self._server.run()
        self.close()

    def close(self) -> None:
        """Let go of the port, when `run` was never called."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._server._map)

    def stop(self) -> None:
        """Call this from another thread; the serving thread closes the sockets."""
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._server._map))


def serve(app: Any, host: str = "127.0.0.1", port: int = 0) -> Server:
    return Server(app, host=host, port=port)


@contextmanager
def running_server(app: Any) -> Iterator[str]:
    """Serve the app in a thread on any free port; yields its address."""
    server = serve(app)
    thread = Thread(target=server.run, name="simulator", daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()
