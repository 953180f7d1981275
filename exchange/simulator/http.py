"""The WSGI application: the protocol under /exchange/v1/, the controls under /_control/ (loopback only)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from exchange.simulator import control, protocol, replies, stale, tampering
from exchange.simulator.faults import Rule, phase
from exchange.simulator.protocol import Answer, Request
from exchange.simulator.replies import Dropped, Reply
from exchange.simulator.state import Exchange

API, CONTROL = "/exchange/v1/", "/_control/"
IN_PROCESS = "simulator.in_process"
LOOPBACK = ("127.0.0.1", "::1", "localhost", "")
Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class App:
    """Callable by any WSGI server and by SimulatorAdapter. `sleep` makes slow answers slow."""

    def __init__(self, exchange: Exchange, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.exchange = exchange
        self.sleep = sleep
        self.memory = stale.Memory()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        reply = self.reply_to(environ)
        start_response(f"{reply.status} {phrase(reply.status)}", self.headers(reply))
        if reply.broken and environ.get(IN_PROCESS):
            raise Dropped
        return self.body(reply)

    def reply_to(self, environ: Environ) -> Reply:
        path = environ.get("PATH_INFO", "")
        if path.startswith(API):
            return self.exchange_call(request_of(environ, path.removeprefix(API)))
        if path.startswith(CONTROL):
            return self.control_call(environ, path.removeprefix(CONTROL).strip("/"))
        return Reply(404, b"not found", replies.TEXT)

    def exchange_call(self, request: Request) -> Reply:
        """Troubles before, the call itself under the lock, troubles after."""
        x = self.exchange
        with x.lock:
            rules = x.faults.hits(request.method)
        for rule in rules:
            seconds = float(rule.detail.get("seconds", 1))
            if rule.kind == "delay":
                self.sleep(seconds)
            if rule.kind == "process_later":
                x.do_later(x.now() + round(seconds * 1000), lambda: protocol.answer(x, request))
        early = replies.before(x, request, phase(rules, "before"))
        if early is not None:
            return early
        reply = replies.of_answer(self.process(request, rules))
        return replies.after(x, request, phase(rules, "after"), reply)

    def process(self, request: Request, rules: list[Rule]) -> Answer:
        x = self.exchange
        with x.lock:
            x.advance()
            self.memory.take(x)
            x.cancels_ignored = any(rule.kind == "ignore_cancel" for rule in rules)
            try:
                answer = self.aged(request, rules, protocol.answer(x, request))
            finally:
                x.cancels_ignored = False
            answer = tampering.tamper(x, rules, answer)
            self.memory.take(x)
        return answer

    def aged(self, request: Request, rules: list[Rule], answer: Answer) -> Answer:
        """The answer of some seconds ago, when a stale rule strikes."""
        for rule in rules:
            if rule.kind == "stale":
                ms = self.exchange.at_ms - int(float(rule.detail.get("age_s", 5)) * 1000)
                answer = stale.aged(self.exchange, request, answer, self.memory.as_of(ms), ms)
        return answer

    def control_call(self, environ: Environ, verb: str) -> Reply:
        """Not for other machines, and not for a web page open on this one."""
        if environ.get("REMOTE_ADDR", "") not in LOOPBACK or environ.get("HTTP_ORIGIN"):
            return Reply(403, b'{"error":"loopback only"}')
        body = parsed(environ)
        with self.exchange.lock:
            self.exchange.advance()
            status, result = control.run(self.exchange, verb, body if isinstance(body, dict) else {})
        return Reply(status, replies.to_json(result))

    def headers(self, reply: Reply) -> list[tuple[str, str]]:
        """The Date header tells the exchange's own clock, wrong as it may be."""
        length = len(reply.body) + (100 if reply.broken else 0)
        return [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(length)),
            ("Date", formatdate(self.exchange.now() // 1000, usegmt=True)),
        ]

    def body(self, reply: Reply) -> Iterator[bytes]:
        if reply.broken:
            yield b"{"  # fewer bytes than promised: the server closes the line
            return
        half = len(reply.body) // 2 if reply.pause_s else 0
        yield reply.body[:half]
        if reply.pause_s:
            self.sleep(reply.pause_s)
        yield reply.body[half:]


def make_app(exchange: Exchange, *, sleep: Callable[[float], None] = time.sleep) -> App:
    """The application of one exchange; serve it, or mount it with SimulatorAdapter."""
    return App(exchange, sleep=sleep)


def request_of(environ: Environ, method: str) -> Request:
    body = parsed(environ)
    return Request(
        verb=environ.get("REQUEST_METHOD", "GET"),
        method=method,
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        body=body if isinstance(body, dict) else None,
        is_json=environ.get("CONTENT_TYPE", "").split(";")[0].strip() == replies.JSON,
    )


def parsed(environ: Environ) -> Any:
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
