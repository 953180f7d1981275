"""What goes over the wire in the end: JSON, or what a gateway, a broken line or a tired server makes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator.codes import name_of
from exchange.simulator.faults import Rule
from exchange.simulator.protocol import Answer, Request, identity, status_of

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

JSON, HTML, TEXT = "application/json", "text/html", "text/plain"
GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Dropped(Exception):
    """The connection is gone and no answer comes; only raised to SimulatorAdapter."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`broken`: the body never comes. `pause_s`: seconds between its two halves."""

    status: int
    body: bytes
    content_type: str = JSON
    broken: bool = False
    pause_s: float = 0


def of_answer(answer: Answer) -> Reply:
    return Reply(answer.status, to_json(answer.body))


def to_json(body: Any) -> bytes:
    """Compact, and a Decimal is written as a JSON number with all its digits."""
    return _Numbers(separators=(",", ":")).encode(body).encode()


def before(x: Exchange, request: Request, rules: list[Rule]) -> Reply | None:
    """A reply instead of the exchange's own, when a trouble refuses the call before it is processed."""
    for rule in rules:
        if rule.kind in ("drop_before", "process_later"):
            return Reply(200, b"{", broken=True)
        if rule.kind == "refuse":
            return refusal(x, request, rule)
        if rule.kind == "http":
            return gateway(rule)
        if rule.kind == "maintenance":
            details = {"code": 9010001, "message": name_of(9010001), "details": "we are back soon"}
            return Reply(int(rule.detail.get("status", 503)), to_json(details))
    return None


def after(x: Exchange, request: Request, rules: list[Rule], reply: Reply) -> Reply:
    """The reply to a processed call, spoilt by every trouble that strikes it."""
    for rule in rules:
        reply = spoil(x, request, rule, reply)
    return reply


def spoil(x: Exchange, request: Request, rule: Rule, reply: Reply) -> Reply:
    if rule.kind == "process_then_drop":
        return replace(reply, broken=True)
    if rule.kind == "process_then_refuse":
        return refusal(x, request, rule)
    if rule.kind == "process_then_http":
        return gateway(rule)
    if rule.kind == "garbage":
        return replace(reply, body=b"\x00\xfe\xff not json {{{", content_type=TEXT)
    if rule.kind == "truncate":
        return replace(reply, body=reply.body[: int(len(reply.body) * float(rule.detail.get("keep", 0.5)))])
    return replace(reply, pause_s=float(rule.detail.get("seconds", 5)))


def refusal(x: Exchange, request: Request, rule: Rule) -> Reply:
    code = int(rule.detail.get("code", 50001))
    body = {
        "id": identity(request),
        "method": request.method,
        "code": code,
        "message": rule.detail.get("message", name_of(code)),
    }
    return Reply(int(rule.detail.get("status", status_of(x, code))), to_json(body))


def gateway(rule: Rule) -> Reply:
    """HTTP errors of something in between: HTML, bare text, or JSON without any code."""
    status = int(rule.detail.get("status", 502))
    if rule.detail.get("body") == "json":
        return Reply(status, b'{"error":"upstream"}')
    if rule.detail.get("body") == "text":
        return Reply(status, b"", TEXT)
    return Reply(status, GATEWAY, HTML)


class _Numbers(json.JSONEncoder):
    """Decimals go through a float subclass that prints the exact digits."""

    def encode(self, o: Any) -> str:
        return super().encode(_exact(o))


class _Exact(float):
    digits: str

    def __repr__(self) -> str:
        return self.digits


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = _Exact(value)
        number.digits = format(value, "f")
        return number
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    return [_exact(inner) for inner in value] if isinstance(value, list) else value
