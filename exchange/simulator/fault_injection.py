"""What goes over the wire in the end: JSON, or what a gateway, a broken line or a tired server makes of it.

Troubles that change what a correct answer says (see faults.KINDS, phase "answer").

Old answers on demand: what balance and orders looked like some seconds ago (dossier 5.6, Lag).
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import requests, serializers
from exchange.simulator.config import Refusal, name_of
from exchange.simulator.faults import Rule
from exchange.simulator.instruments import parse
from exchange.simulator.models import NAME_SPACES, NS, NameSpace, Order, Row
from exchange.simulator.protocol import METHODS, Answer, Request, identity, refused, status_of
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


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


IDS = ("order_id", "client_oid", "list_id")
AMOUNTS = (
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


def tamper(x: Exchange, rules: list[Rule], answer: Answer) -> Answer:
    for rule in rules:
        if rule.kind in CHANGES:
            answer = CHANGES[rule.kind](x, rule, answer)
    return answer


def without_ids(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    result = answer.body.get("result")
    if isinstance(result, dict):
        answer.body["result"] = {key: value for key, value in result.items() if key not in IDS}
    return answer


def code_with_ids(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    """The order is booked and works, and the answer still carries a code (dossier 1.1)."""
    if answer.body["code"] != 0:
        return answer
    code = int(rule.detail.get("code", 315))
    answer.body |= {"code": code, "message": name_of(code)}
    return Answer(status=status_of(x, code, with_ids=True), body=answer.body)


def empty(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    """Success without content: no rows; a balance without tokens; one order without a single field."""
    result = answer.body.get("result")
    if not isinstance(result, dict) or answer.body["code"] != 0:
        return answer
    balance = [
        row | {"position_balances": []} for row in result.get("data", []) if "position_balances" in row
    ]
    answer.body["result"] = {"data": balance} if "data" in result else {}
    return answer


def missing_fields(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    names = rule.detail.get("fields", [])
    if "result" in answer.body:
        left = each_object(
            answer.body["result"], lambda row: {k: v for k, v in row.items() if k not in names}
        )
        answer.body["result"] = left
    return answer


def strings(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    answer.body = each_value(answer.body, lambda key, value: str(value) if is_number(value) else value)
    return answer


def numbers(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    answer.body = each_value(answer.body, lambda key, value: as_number(value) if key in AMOUNTS else value)
    return answer


def unknown_fields(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    answer.body = each_object(answer.body, lambda row: row | {"zz_new_field": {"nested": [1, None, "x"]}})
    return answer


def unknown_status(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    status = rule.detail.get("status", "SUSPENDED")
    answer.body = each_value(answer.body, lambda key, value: status if key == "status" else value)
    return answer


def hide_order(x: Exchange, rule: Rule, answer: Answer) -> Answer:
    """The order just created goes on working and locking, but cannot be read for a while."""
    until = x.at_ms + int(float(rule.detail.get("seconds", 2)) * 1000)
    for order in created(x, answer.body.get("result")):
        order.hidden_until_ms = until
    return answer


def created(x: Exchange, result: Any) -> list[Order]:
    if not isinstance(result, dict):
        return []
    if "list_id" in result:
        return [x.stores["advanced"].by_id[each] for each in x.lists[result["list_id"]].order_ids]
    stores = x.stores.values()
    found = [store.find(str(result.get("order_id")), None) for store in stores]
    return [order for order in found if order is not None and order.client_oid == result.get("client_oid")]


def each_value(value: Any, change: Callable[[str, Any], Any], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: each_value(inner, change, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [each_value(inner, change, key) for inner in value]
    return change(key, value)


def each_object(value: Any, change: Callable[[dict[str, Any]], Any]) -> Any:
    if isinstance(value, dict):
        return change({name: each_object(inner, change) for name, inner in value.items()})
    return [each_object(inner, change) for inner in value] if isinstance(value, list) else value


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def as_number(value: Any) -> Any:
    """A JSON number with the same digits; answers write a Decimal as one."""
    number = parse(value) if isinstance(value, str) else None
    return value if number is None else Decimal(number)


CHANGES: dict[str, Callable[[Exchange, Rule, Answer], Answer]] = {
    "without_ids": without_ids,
    "code_with_ids": code_with_ids,
    "empty": empty,
    "missing_fields": missing_fields,
    "strings": strings,
    "numbers": numbers,
    "unknown_fields": unknown_fields,
    "unknown_status": unknown_status,
    "hide_order": hide_order,
}


KEPT = 500


@dataclass(frozen=True, slots=True)
class Note:
    """What could be read at one moment."""

    at_ms: int
    balance: Row
    open_rows: dict[NameSpace, dict[str, Row]]


class Memory:
    """Notes of the recent past, taken only while a stale rule is in force."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def take(self, x: Exchange) -> None:
        if not x.faults.stale_rules:
            self.notes = []
            return
        self.notes.append(
            Note(x.at_ms, serializers.balance_row(x), {name: open_rows(x, name) for name in NAME_SPACES})
        )
        del self.notes[:-KEPT]

    def as_of(self, ms: int) -> Note:
        """The newest note at or before this moment, or the oldest there is."""
        at = bisect_right(self.notes, ms, key=lambda note: note.at_ms)
        return self.notes[max(at - 1, 0)]


def open_rows(x: Exchange, name_space: NameSpace) -> dict[str, Row]:
    found = x.stores[name_space].open.items()
    return {
        key: serializers.order_row(x, order, name_space)
        for key, order in found
        if serializers.readable(x, order)
    }


def aged(x: Exchange, request: Request, answer: Answer, note: Note, ms: int) -> Answer:
    """The answer as it would have been at the note; methods without memory answer as they do now.

    Histories tell their own past, to the millisecond that is asked for.
    """
    name_space: NameSpace = "advanced" if "/advanced/" in request.method else "plain"
    name = request.method.rsplit("/", 1)[1]
    if answer.body.get("code") not in (0, 40401):
        return answer
    if name == "user-balance":
        return with_data(answer, [note.balance])
    if name == "get-open-orders":
        return with_data(answer, wanted(request, list(note.open_rows[name_space].values())))
    if name == "get-order-detail":
        return aged_detail(x, request, answer, note.open_rows[name_space])
    if name == "get-order-list-detail":
        known, legs = note.open_rows[name_space], answer.body["result"]["data"]
        return with_data(answer, [known.get(leg["order_id"], leg) for leg in legs if born(leg, note)])
    if name in ("get-order-history", "get-trades"):
        return with_data(answer, [row for row in page_until(x, request, ms) if time_of(row) <= ms])
    return answer


def page_until(x: Exchange, request: Request, ms: int) -> list[Row]:
    """The page as it was then: what has come since pushed nothing out of it."""
    params = dict((request.body or {}).get("params", {}))
    start, end = (requests.to_ns(params, name) for name in ("start_time", "end_time"))
    then = (ms + 1) * NS
    if start is not None and start >= then:
        return []
    call = Call(method=request.method, params=params | {"end_time": str(min(end or then, then))})
    data: list[Row] = METHODS[request.method](x, call)["data"]
    return data


def aged_detail(x: Exchange, request: Request, answer: Answer, known: dict[str, Row]) -> Answer:
    params = (request.body or {}).get("params", {})
    for row in known.values():
        if params.get("order_id") == row["order_id"] or params.get("client_oid") == row["client_oid"]:
            answer.body["result"] = row
            return answer
    current = answer.body.get("result") or {}
    unborn = current.get("status") in ("PENDING", "NEW", "ACTIVE")
    return refused(x, request, Refusal(40401)) if unborn else answer


def born(row: Row, note: Note) -> bool:
    return int(row["create_time"]) <= note.at_ms


def wanted(request: Request, found: list[Row]) -> list[Row]:
    symbol = (request.body or {}).get("params", {}).get("instrument_name")
    return [row for row in found if symbol in (None, row["instrument_name"])]


def time_of(row: Row) -> int:
    return int(row["update_time"] if "update_time" in row else row["create_time"])


def with_data(answer: Answer, data: list[Row]) -> Answer:
    answer.body["result"] = {"data": data}
    return answer
