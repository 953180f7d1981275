"""Troubles that change what a correct answer says (see faults.KINDS, phase "answer")."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator.codes import name_of
from exchange.simulator.decimals import parse
from exchange.simulator.faults import Rule
from exchange.simulator.protocol import Answer, status_of
from exchange.simulator.records import Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

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
