"""private/*: plain orders, history, and the account (dossier 5.6 to 5.19)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from exchange.simulator import account_rows, amending, balances, calls, cancelling, history, placing, rows
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal, name_of
from exchange.simulator.records import PLAIN, NameSpace, Row

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

Method = Callable[["Exchange", Call], Any]
MOST_IN_LIST = 10


def open_orders(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    """Everything open, oldest first; paging parameters are ignored (dossier 5.16)."""
    symbol = call.params.get("instrument_name")
    orders = [
        each
        for each in x.stores[name_space].open.values()
        if symbol in (None, each.instrument_name) and rows.readable(x, each)
    ]
    orders.sort(key=lambda order: order.create_time_ns)
    return {"data": [rows.order_row(x, each, name_space) for each in orders]}


def order_detail(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    """40401 or an empty result for an order that is not there, or not yet (dossier 5.17)."""
    order = cancelling.find(x, name_space, call)
    if order is not None and rows.readable(x, order):
        return rows.order_row(x, order, name_space)
    if x.quirks.unknown_order == "empty":
        return {}
    raise Refusal(40401)


def order_history(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    orders = history.finished_orders(x, name_space, call)
    return {"data": [rows.order_row(x, each, name_space) for each in orders]}


def cancel_all(x: Exchange, name_space: NameSpace, call: Call) -> Row | None:
    cancelling.cancel_all(x, name_space, call)
    return {} if x.quirks.cancel_all_result == "empty" else None


def get_trades(x: Exchange, call: Call) -> Row:
    return {"data": [rows.trade_row(x, each) for each in history.executions(x, call)]}


def create_order_list(x: Exchange, call: Call) -> Any:
    """LIST only: up to ten orders, each with its own outcome; linked kinds moved away (dossier 5.32, 8)."""
    kind = calls.one_of(call.params, "contingency_type", ("LIST", "OCO", "OTO", "OTOCO"), 40004)
    if kind != "LIST":
        raise Refusal(140001)
    legs = call.params.get("order_list")
    if not isinstance(legs, list) or not 1 <= len(legs) <= MOST_IN_LIST:
        raise Refusal(40004, "Invalid order_list")
    outcomes = [one_of_list(x, call, index, leg) for index, leg in enumerate(legs)]
    if any(each["code"] for each in outcomes) and x.quirks.list_failure == "code_10001":
        raise Refusal(10001, result={"result_list": outcomes})
    return outcomes


def one_of_list(x: Exchange, call: Call, index: int, leg: Any) -> Row:
    reference = call.reference if index == 0 else f"{call.reference}-{index + 1}"
    params = leg if isinstance(leg, dict) else {}
    try:
        ids = placing.create_plain(x, Call(method=call.method, params=params, reference=reference))
    except Refusal as refusal:
        failed: Row = {"code": refusal.code, "index": index, "message": name_of(refusal.code)}
        return failed | (refusal.result or {"client_oid": params.get("client_oid", reference)})
    return {"code": 0, "index": index, **ids}


def balance(x: Exchange, call: Call) -> Row:
    return {"data": [balances.balance_row(x)]}


METHODS: dict[str, Method] = {
    "private/create-order": placing.create_plain,
    "private/amend-order": amending.amend_plain,
    "private/cancel-order": lambda x, call: cancelling.cancel(x, PLAIN, call),
    "private/cancel-all-orders": lambda x, call: cancel_all(x, PLAIN, call),
    "private/create-order-list": create_order_list,
    "private/get-open-orders": lambda x, call: open_orders(x, PLAIN, call),
    "private/get-order-detail": lambda x, call: order_detail(x, PLAIN, call),
    "private/get-order-history": lambda x, call: order_history(x, PLAIN, call),
    "private/get-trades": get_trades,
    "private/user-balance": balance,
    "private/user-balance-history": account_rows.balance_history,
    "private/get-accounts": account_rows.accounts,
    "private/get-fee-rate": account_rows.fee_rate,
    "private/get-instrument-fee-rate": account_rows.instrument_fee_rate,
    "private/get-positions": account_rows.positions,
    "private/get-currency-networks": account_rows.currency_networks,
}
