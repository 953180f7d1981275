"""Several orders in one request, each with its own outcome (dossier 5.32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from exchange.simulator import order_changes, order_entry, parameters
from exchange.simulator.config import Refusal, code_name
from exchange.simulator.models import ADVANCED, PLAIN, NameSpace, Row
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MAX_ORDERS = 10


def create_plain_list(exchange: Exchange, call: Call) -> Any:
    """LIST only; linked kinds moved away (dossier 8)."""
    kind = parameters.choice_param(call.params, "contingency_type", ("LIST", "OCO", "OTO", "OTOCO"), 40004)
    if kind != "LIST":
        raise Refusal(140001)
    return each_order(exchange, call, order_entry.create_plain)


def create_advanced_list(exchange: Exchange, call: Call) -> Any:
    """Trigger orders, not linked to each other."""
    return each_order(exchange, call, order_entry.create_trigger)


def cancel_plain_list(exchange: Exchange, call: Call) -> Any:
    parameters.choice_param(call.params, "contingency_type", ("LIST",), 40004, "LIST")
    return each_order(exchange, call, cancel_item(PLAIN))


def cancel_advanced_list(exchange: Exchange, call: Call) -> Any:
    return each_order(exchange, call, cancel_item(ADVANCED))


def cancel_item(name_space: NameSpace) -> Callable[[Exchange, Call], Row]:
    """An accepted cancel answers with neither id."""

    def cancel(exchange: Exchange, call: Call) -> Row:
        order_changes.cancel_order(exchange, name_space, call)
        return {}

    return cancel


def each_order(exchange: Exchange, call: Call, act: Callable[[Exchange, Call], Any]) -> Any:
    """What became of each row. A failure is code 0 or 10001 above them (option)."""
    rows = call.params.get("order_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ORDERS:
        raise Refusal(40004, "Invalid order_list")
    outcomes = [outcome(exchange, call, index, row, act) for index, row in enumerate(rows)]
    if any(each["code"] for each in outcomes) and exchange.behaviour.list_failure == "code_10001":
        raise Refusal(10001, result={"result_list": outcomes})
    return outcomes


def outcome(
    exchange: Exchange, call: Call, index: int, row: Any, act: Callable[[Exchange, Call], Any]
) -> Row:
    default_client_oid = call.default_client_oid if index == 0 else f"{call.default_client_oid}-{index + 1}"
    params = row if isinstance(row, dict) else {}
    try:
        ids = act(exchange, Call(method=call.method, params=params, default_client_oid=default_client_oid))
    except Refusal as refusal:
        failed: Row = {"code": refusal.code, "index": index, "message": code_name(refusal.code)}
        return failed | (refusal.result or {"client_oid": params.get("client_oid", default_client_oid)})
    return {"code": 0, "index": index, **ids}
