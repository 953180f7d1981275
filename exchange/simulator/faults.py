"""Injected faults: the rules (which calls fail, and how), and what they do to a call and to its answer.

Refusals and gateway errors, changed content, and broken or slow bodies. Stale answers are in stale_reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from exchange.simulator.config import code_name
from exchange.simulator.instruments import parse_decimal
from exchange.simulator.models import Order
from exchange.simulator.protocol import ApiResponse, Request, http_status, request_id

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

Phase = Literal["before", "answer", "after"]

KINDS: dict[str, Phase] = {
    "delay": "before",  # seconds: the answer comes late
    "drop_before": "before",  # the connection breaks, nothing was done
    "refuse": "before",  # code, message?, status?: refused, nothing was done
    "http": "before",  # status, body? ("json", "html", "text"): a gateway answers, nothing was done
    "maintenance": "before",  # 9010001 without id
    "process_later": "before",  # seconds: the connection breaks now, and the call is processed that much later
    "ignore_cancel": "before",  # cancels are accepted and never done
    "stale": "answer",  # age_s: the answer is that old
    "without_ids": "answer",  # an accepted order whose answer has no ids
    "code_with_ids": "answer",  # code: an order was booked, yet a code comes back with its ids
    "empty": "answer",  # lists without rows, a balance without tokens, an order without fields
    "missing_fields": "answer",  # fields: names that rows lack
    "strings": "answer",  # every number as a string
    "numbers": "answer",  # amounts and prices as JSON numbers
    "unknown_fields": "answer",  # additional, undocumented fields
    "unknown_status": "answer",  # status: orders show an undocumented status
    "lie": "answer",  # values: what rows say instead; where?: only rows with these values
    "hide_order": "answer",  # seconds: the order just created cannot be read for that long
    "process_then_drop": "after",  # done, but the connection breaks
    "process_then_refuse": "after",  # done, but a code comes back: code, status?
    "process_then_http": "after",  # done, but a gateway answers: status, body?
    "garbage": "after",  # done, the body is noise
    "truncate": "after",  # done, the body is cut: keep? (share of the bytes)
    "slow_body": "after",  # done, the body takes seconds to arrive
}
JSON, HTML, TEXT = "application/json", "text/html", "text/plain"
GATEWAY_HTML = (
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
ID_FIELDS = ("order_id", "client_oid", "list_id")
AMOUNT_FIELDS = (
    "quantity",
    "limit_price",
    "order_value",
    "avg_price",
    "ref_price",
    "cumulative_quantity",
    "cumulative_value",
    "cumulative_fee",
    "traded_quantity",
    "traded_price",
    "fees",
    "reserved_qty",
    "max_withdrawal_balance",
    "market_value",
)


# Rules


@dataclass(slots=True)
class FaultRule:
    """One fault. `nth` counts matching calls from 1; `every` repeats; `times` limits how often it fires."""

    id: int
    kind: str
    method: str = "*"
    nth: int | None = None
    every: int | None = None
    probability: float | None = None
    times: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def should_fire(self, draw: float) -> bool:
        """Count this call; whether the fault applies to it."""
        self.seen += 1
        spent = self.times is not None and self.struck >= self.times
        missed = self.probability is not None and draw >= self.probability
        if spent or missed or not self._is_nth_call():
            return False
        self.struck += 1
        return True

    def _is_nth_call(self) -> bool:
        if self.nth is not None:
            return self.seen == self.nth
        return self.every is None or self.seen % self.every == 0


class Faults:
    """All rules in force. The same seed and calls give the same faults."""

    def __init__(self, seed: int = 1, kinds: Mapping[str, Phase] = KINDS) -> None:
        self.kinds = kinds
        self.rules: list[FaultRule] = []
        self._random = Random(seed)  # noqa: S311
        self._ids = 0

    def add(
        self,
        kind: str,
        method: str = "*",
        *,
        nth: int | None = None,
        every: int | None = None,
        probability: float | None = None,
        times: int | None = None,
        **detail: Any,
    ) -> int:
        """A new rule; `method` is a glob such as "private/advanced/*". Returns its id. ValueError: unknown kind."""
        if kind not in self.kinds:
            raise ValueError(f"no fault is called {kind}; there are {', '.join(self.kinds)}")
        self._ids += 1
        self.rules.append(FaultRule(self._ids, kind, method, nth, every, probability, times, detail))
        return self._ids

    def remove(self, rule_id: int) -> None:
        self.rules = [rule for rule in self.rules if rule.id != rule_id]

    def clear(self) -> None:
        self.rules = []

    def reseed(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311

    def matching_rules(self, method: str, kinds: Collection[str] | None = None) -> list[FaultRule]:
        """The rules (of these kinds) that apply to this call. Counts the call, so use it once per call."""
        wanted = self.kinds if kinds is None else kinds
        matching = [rule for rule in self.rules if rule.kind in wanted and fnmatchcase(method, rule.method)]
        return [rule for rule in matching if rule.should_fire(self._random.random())]

    @property
    def has_stale_rules(self) -> bool:
        return any(rule.kind == "stale" for rule in self.rules)

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": rule.id,
                "kind": rule.kind,
                "method": rule.method,
                "seen": rule.seen,
                "struck": rule.struck,
            }
            | rule.detail
            for rule in self.rules
        ]


def rules_in_phase(rules: list[FaultRule], requested: Phase) -> list[FaultRule]:
    return [rule for rule in rules if KINDS[rule.kind] == requested]


# Replies


class ConnectionDropped(Exception):
    """The connection breaks without an answer; only SimulatorAdapter sees this."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`broken`: the connection breaks before the body. `pause_s`: seconds between the halves of the body."""

    status: int
    body: bytes
    content_type: str = JSON
    broken: bool = False
    pause_s: float = 0


def reply_from(response: ApiResponse) -> Reply:
    return Reply(response.status, to_json(response.body))


def to_json(body: Any) -> bytes:
    """Compact, and a Decimal is written as a JSON number with all its digits."""
    return _DecimalEncoder(separators=(",", ":")).encode(body).encode()


# Before the call is processed


def apply_before(exchange: Exchange, request: Request, rules: list[FaultRule]) -> Reply | None:
    """The reply that replaces the exchange's own, if a fault stops the call before it is processed."""
    for rule in rules:
        if rule.kind in ("drop_before", "process_later"):
            return Reply(200, b"{", broken=True)
        if rule.kind == "refuse":
            return refusal_reply(exchange, request, rule)
        if rule.kind == "http":
            return gateway_reply(rule)
        if rule.kind == "maintenance":
            details = {"code": 9010001, "message": code_name(9010001), "details": "we are back soon"}
            return Reply(int(rule.detail.get("status", 503)), to_json(details))
    return None


def refusal_reply(exchange: Exchange, request: Request, rule: FaultRule) -> Reply:
    code = int(rule.detail.get("code", 50001))
    body = {
        "id": request_id(request),
        "method": request.method,
        "code": code,
        "message": rule.detail.get("message", code_name(code)),
    }
    return Reply(int(rule.detail.get("status", http_status(exchange, code))), to_json(body))


def gateway_reply(rule: FaultRule) -> Reply:
    """HTTP errors of a gateway in between: HTML, an empty body, or JSON without a code."""
    status = int(rule.detail.get("status", 502))
    if rule.detail.get("body") == "json":
        return Reply(status, b'{"error":"upstream"}')
    if rule.detail.get("body") == "text":
        return Reply(status, b"", TEXT)
    return Reply(status, GATEWAY_HTML, HTML)


# After it was processed


def apply_after(exchange: Exchange, request: Request, rules: list[FaultRule], reply: Reply) -> Reply:
    for rule in rules:
        reply = apply_fault(exchange, request, rule, reply)
    return reply


def apply_fault(exchange: Exchange, request: Request, rule: FaultRule, reply: Reply) -> Reply:
    if rule.kind == "process_then_drop":
        return replace(reply, broken=True)
    if rule.kind == "process_then_refuse":
        return refusal_reply(exchange, request, rule)
    if rule.kind == "process_then_http":
        return gateway_reply(rule)
    if rule.kind == "garbage":
        return replace(reply, body=b"\x00\xfe\xff not json {{{", content_type=TEXT)
    if rule.kind == "truncate":
        return replace(reply, body=reply.body[: int(len(reply.body) * float(rule.detail.get("keep", 0.5)))])
    return replace(reply, pause_s=float(rule.detail.get("seconds", 5)))


# What a correct answer says (phase "answer")


def apply_response_faults(exchange: Exchange, rules: list[FaultRule], response: ApiResponse) -> ApiResponse:
    for rule in rules:
        if rule.kind in RESPONSE_FAULTS:
            response = RESPONSE_FAULTS[rule.kind](exchange, rule, response)
    return response


def without_ids(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    result = response.body.get("result")
    if isinstance(result, dict):
        response.body["result"] = {key: value for key, value in result.items() if key not in ID_FIELDS}
    return response


def code_with_ids(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    """The order was accepted and works, and the answer still has an error code (dossier 1.1)."""
    if response.body["code"] != 0:
        return response
    code = int(rule.detail.get("code", 315))
    response.body |= {"code": code, "message": code_name(code)}
    return ApiResponse(status=http_status(exchange, code, with_ids=True), body=response.body)


def empty(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    """Success without content: no rows, a balance without tokens, or an order without fields."""
    result = response.body.get("result")
    if not isinstance(result, dict) or response.body["code"] != 0:
        return response
    balance = [
        row | {"position_balances": []} for row in result.get("data", []) if "position_balances" in row
    ]
    response.body["result"] = {"data": balance} if "data" in result else {}
    return response


def missing_fields(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    names = rule.detail.get("fields", [])
    if "result" in response.body:
        left = map_objects(
            response.body["result"], lambda row: {k: v for k, v in row.items() if k not in names}
        )
        response.body["result"] = left
    return response


def strings(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    response.body = map_values(response.body, lambda key, value: str(value) if is_number(value) else value)
    return response


def numbers(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    response.body = map_values(
        response.body, lambda key, value: as_number(value) if key in AMOUNT_FIELDS else value
    )
    return response


def unknown_fields(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    response.body = map_objects(response.body, lambda row: row | {"zz_new_field": {"nested": [1, None, "x"]}})
    return response


def unknown_status(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    status = rule.detail.get("status", "SUSPENDED")
    response.body = map_values(response.body, lambda key, value: status if key == "status" else value)
    return response


def lie(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    """Rows say something else than what is: a quantity that was never executed, a price below zero."""
    if "result" in response.body:
        response.body["result"] = false_rows(rule, response.body["result"])
    return response


def false_rows(rule: FaultRule, result: Any) -> Any:
    """`result` with the rule's `values` in every row that has one of these fields and matches `where`."""
    where, values = rule.detail.get("where", {}), rule.detail.get("values", {})

    def change(row: dict[str, Any]) -> dict[str, Any]:
        has_field = any(name in row for name in values)
        return row | values if has_field and all(row.get(name) == where[name] for name in where) else row

    return map_objects(result, change)


def hide_order(exchange: Exchange, rule: FaultRule, response: ApiResponse) -> ApiResponse:
    """The order just created works and reserves funds, but cannot be read for a while."""
    until = exchange.at_ms + int(float(rule.detail.get("seconds", 2)) * 1000)
    for order in created_orders(exchange, response.body.get("result")):
        order.hidden_until_ms = until
    return response


def created_orders(exchange: Exchange, result: Any) -> list[Order]:
    if not isinstance(result, dict):
        return []
    if "list_id" in result:
        return [
            exchange.stores["advanced"].by_id[each] for each in exchange.lists[result["list_id"]].order_ids
        ]
    stores = exchange.stores.values()
    found = [store.find(str(result.get("order_id")), None) for store in stores]
    return [order for order in found if order is not None and order.client_oid == result.get("client_oid")]


def map_values(value: Any, change: Callable[[str, Any], Any], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: map_values(inner, change, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [map_values(inner, change, key) for inner in value]
    return change(key, value)


def map_objects(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    if isinstance(value, dict):
        return change({name: map_objects(inner, change) for name, inner in value.items()})
    return [map_objects(inner, change) for inner in value] if isinstance(value, list) else value


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(value: Any) -> Any:
    """A Decimal, which to_json writes as a JSON number with the same digits."""
    number = parse_decimal(value) if isinstance(value, str) else None
    return value if number is None else Decimal(number)


RESPONSE_FAULTS: dict[str, Callable[[Exchange, FaultRule, ApiResponse], ApiResponse]] = {
    "without_ids": without_ids,
    "code_with_ids": code_with_ids,
    "empty": empty,
    "missing_fields": missing_fields,
    "strings": strings,
    "numbers": numbers,
    "unknown_fields": unknown_fields,
    "unknown_status": unknown_status,
    "lie": lie,
    "hide_order": hide_order,
}


# JSON with exact decimals


class _DecimalEncoder(json.JSONEncoder):
    """Decimals go through a float subclass that prints the exact digits."""

    def encode(self, o: Any) -> str:
        return super().encode(_with_exact_floats(o))


class _ExactFloat(float):
    digits: str

    def __repr__(self) -> str:
        return self.digits


def _with_exact_floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        number = _ExactFloat(value)
        number.digits = format(value, "f")
        return number
    if isinstance(value, dict):
        return {key: _with_exact_floats(inner) for key, inner in value.items()}
    return [_with_exact_floats(inner) for inner in value] if isinstance(value, list) else value
