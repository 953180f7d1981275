"""private/*: plain orders, history, and the account (dossier 5.6 to 5.19).

The account methods that no order changes: identity, fee rates, positions, networks, balance history.

private/advanced/*: single trigger orders and native OCO pairs (dossier 5.20 to 5.31).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import order_changes, order_entry, requests, serializers
from exchange.simulator.config import Refusal, name_of
from exchange.simulator.instruments import ZERO, eight, plain, short, usd_price
from exchange.simulator.models import ADVANCED, PLAIN, NameSpace, Position, Row
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


HOUR_MS, DAY_MS = 3_600_000, 86_400_000
TEN_DIGITS = Decimal("0.0000000001")
DERIVATIVE_BPS = (Decimal("1.1"), Decimal(3))


def accounts(x: Exchange, call: Call) -> Row:
    """A master account without sub-accounts and without access to derivatives."""
    master = {
        "uuid": x.account_uuid,
        "hierarchy": "MASTER",
        "master_account_uuid": x.account_uuid,
        "margin_account_uuid": x.account_uuid,
        "enabled": True,
        "tradable": True,
        "name": "",
        "email": "",
        "margin_access": "DISABLED",
        "derivatives_access": "DISABLED",
        "create_time": 1620962543792,
        "update_time": 1622019525960,
        "two_fa_enabled": True,
        "kyc_level": "ADVANCED",
        "suspended": False,
        "terminated": False,
    }
    identity = {"uuid": x.account_uuid, "hierarchy": "MASTER"}
    return {"this_account": identity, "master_account": master, "sub_account_list": []}


def fee_rate(x: Exchange, call: Call) -> Row:
    maker, taker = DERIVATIVE_BPS
    return {
        "spot_tier": "1",
        "deriv_tier": "1",
        "effective_spot_maker_rate_bps": bps(x.fees.maker_bps),
        "effective_spot_taker_rate_bps": bps(x.fees.taker_bps),
        "effective_deriv_maker_rate_bps": bps(maker),
        "effective_deriv_taker_rate_bps": bps(taker),
    }


def instrument_fee_rate(x: Exchange, call: Call) -> Row:
    instrument = x.instruments.get(str(call.params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    maker, taker = (x.fees.maker_bps, x.fees.taker_bps) if instrument.is_spot else DERIVATIVE_BPS
    return {
        "instrument_name": instrument.symbol,
        "effective_maker_rate_bps": bps(maker),
        "effective_taker_rate_bps": bps(taker),
    }


def bps(rate: Decimal) -> str:
    return plain(rate.quantize(TEN_DIGITS))


def positions(x: Exchange, call: Call) -> Row:
    wanted = call.params.get("instrument_name")
    return {
        "data": [
            position_row(x, each) for each in x.positions.values() if wanted in (None, each.instrument_name)
        ]
    }


def position_row(x: Exchange, position: Position) -> Row:
    """Cost at the entry price; profit against mark."""
    cost = position.quantity * position.entry_price
    profit = position.quantity * x.prices.mark(position.instrument_name, x.at_ms) - cost
    return {
        "account_id": x.account_uuid,
        "quantity": short(position.quantity),
        "cost": short(cost),
        "open_pos_cost": short(cost),
        "open_position_pnl": short(profit),
        "session_pnl": "0",
        "update_timestamp_ms": position.update_time_ms,
        "instrument_name": position.instrument_name,
        "type": "PERPETUAL_SWAP",
    }


def currency_networks(x: Exchange, call: Call) -> Row:
    """One invented network for every token; wallet methods answer in strings (dossier 0)."""
    tokens = sorted({each for row in x.instruments.values() for each in (row.base, row.quote)})
    return {"update_time": str(x.at_ms), "currency_map": {token: network(token) for token in tokens}}


def network(token: str) -> Row:
    only = {
        "network_id": "ETH",
        "withdrawal_fee": "1.00000000",
        "withdraw_enabled": True,
        "min_withdrawal_amount": "2.0",
        "deposit_enabled": True,
        "confirmation_required": "32",
    }
    return {"full_name": token, "default_network": "ETH", "network_list": [only]}


def balance_history(x: Exchange, call: Call) -> Row:
    """What the present holdings were worth at each past full hour or day, newest last."""
    frame = requests.one_of(call.params, "timeframe", ("H1", "D1"), 40003, "D1")
    step, most = (HOUR_MS, 120) if frame == "H1" else (DAY_MS, 30)
    if isinstance(call.params.get("end_time"), str):
        raise Refusal(40003)
    end_ns = requests.to_ns(call.params, "end_time")
    newest = (x.at_ms if end_ns is None else end_ns // 1_000_000 - 1) // step * step
    count = requests.page_size(x, call.params, most=most)
    moments = [newest - step * back for back in reversed(range(count))]
    return {"instrument_name": "USD", "data": [{"t": ms, "c": short(worth(x, ms))} for ms in moments]}


def worth(x: Exchange, ms: int) -> Decimal:
    owned = [(token, amount) for token, amount in x.ledger.balances.items() if amount]
    return eight(
        sum((amount * usd_price(x.prices, x.instruments, token, ms) for token, amount in owned), ZERO)
    )


Method = Callable[["Exchange", Call], Any]
MOST_IN_LIST = 10


def open_orders(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    """Everything open, oldest first; paging parameters are ignored (dossier 5.16)."""
    symbol = call.params.get("instrument_name")
    orders = [
        each
        for each in x.stores[name_space].open.values()
        if symbol in (None, each.instrument_name) and serializers.readable(x, each)
    ]
    orders.sort(key=lambda order: order.create_time_ns)
    return {"data": [serializers.order_row(x, each, name_space) for each in orders]}


def order_detail(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    """40401 or an empty result for an order that is not there, or not yet (dossier 5.17)."""
    order = order_changes.find(x, name_space, call)
    if order is not None and serializers.readable(x, order):
        return serializers.order_row(x, order, name_space)
    if x.quirks.unknown_order == "empty":
        return {}
    raise Refusal(40401)


def order_history(x: Exchange, name_space: NameSpace, call: Call) -> Row:
    orders = requests.finished_orders(x, name_space, call)
    return {"data": [serializers.order_row(x, each, name_space) for each in orders]}


def cancel_all(x: Exchange, name_space: NameSpace, call: Call) -> Row | None:
    order_changes.cancel_all(x, name_space, call)
    return {} if x.quirks.cancel_all_result == "empty" else None


def get_trades(x: Exchange, call: Call) -> Row:
    return {"data": [serializers.trade_row(x, each) for each in requests.executions(x, call)]}


def create_order_list(x: Exchange, call: Call) -> Any:
    """LIST only: up to ten orders, each with its own outcome; linked kinds moved away (dossier 5.32, 8)."""
    kind = requests.one_of(call.params, "contingency_type", ("LIST", "OCO", "OTO", "OTOCO"), 40004)
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
        ids = order_entry.create_plain(x, Call(method=call.method, params=params, reference=reference))
    except Refusal as refusal:
        failed: Row = {"code": refusal.code, "index": index, "message": name_of(refusal.code)}
        return failed | (refusal.result or {"client_oid": params.get("client_oid", reference)})
    return {"code": 0, "index": index, **ids}


def balance(x: Exchange, call: Call) -> Row:
    return {"data": [serializers.balance_row(x)]}


PRIVATE_METHODS: dict[str, Method] = {
    "private/create-order": order_entry.create_plain,
    "private/amend-order": order_changes.amend_plain,
    "private/cancel-order": lambda x, call: order_changes.cancel(x, PLAIN, call),
    "private/cancel-all-orders": lambda x, call: cancel_all(x, PLAIN, call),
    "private/create-order-list": create_order_list,
    "private/get-open-orders": lambda x, call: open_orders(x, PLAIN, call),
    "private/get-order-detail": lambda x, call: order_detail(x, PLAIN, call),
    "private/get-order-history": lambda x, call: order_history(x, PLAIN, call),
    "private/get-trades": get_trades,
    "private/user-balance": balance,
    "private/user-balance-history": balance_history,
    "private/get-accounts": accounts,
    "private/get-fee-rate": fee_rate,
    "private/get-instrument-fee-rate": instrument_fee_rate,
    "private/get-positions": positions,
    "private/get-currency-networks": currency_networks,
}


def order_list_detail(x: Exchange, call: Call) -> Row:
    """The legs of all the lists asked for; unknown lists add nothing."""
    wanted = call.params.get("list_id_list")
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(40004, "Invalid list_id_list")
    linked = [x.lists[str(each)] for each in wanted if str(each) in x.lists]
    legs = [x.stores[ADVANCED].by_id[order_id] for each in linked for order_id in each.order_ids]
    return {"data": [serializers.order_row(x, leg, ADVANCED) for leg in legs if serializers.readable(x, leg)]}


def not_built(x: Exchange, call: Call) -> None:
    """OTO, OTOCO and advanced lists are not part of this simulator."""
    raise Refusal(140001)


ADVANCED_METHODS: dict[str, Method] = {
    "private/advanced/create-order": order_entry.create_trigger,
    "private/advanced/amend-order": order_changes.amend_advanced,
    "private/advanced/create-oco": order_changes.create_oco,
    "private/advanced/cancel-oco": order_changes.cancel_oco,
    "private/advanced/cancel-order": lambda x, call: order_changes.cancel(x, ADVANCED, call),
    "private/advanced/cancel-all-orders": lambda x, call: cancel_all(x, ADVANCED, call),
    "private/advanced/get-open-orders": lambda x, call: open_orders(x, ADVANCED, call),
    "private/advanced/get-order-detail": lambda x, call: order_detail(x, ADVANCED, call),
    "private/advanced/get-order-history": lambda x, call: order_history(x, ADVANCED, call),
    "private/advanced/get-order-list-detail": order_list_detail,
    "private/advanced/create-oto": not_built,
    "private/advanced/cancel-oto": not_built,
    "private/advanced/create-otoco": not_built,
    "private/advanced/cancel-otoco": not_built,
    "private/advanced/create-order-list": not_built,
    "private/advanced/cancel-order-list": not_built,
    "private/cancel-order-list": not_built,
    "private/close-position": not_built,
}
