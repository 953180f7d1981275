"""private/*: orders, history and the account (dossier 5.6 to 5.19), and private/advanced/* (dossier 5.20 to 5.31)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import order_changes, order_entry, order_lists, parameters, serializers, wallet
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import ZERO, decimal_text, trimmed_text, truncate_to_8, usd_price
from exchange.simulator.models import ADVANCED, NS_PER_MS, PLAIN, NameSpace, Position, Row
from exchange.simulator.parameters import Call, Method
from exchange.simulator.price_model import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

TEN_DECIMALS = Decimal("0.0000000001")
DERIVATIVE_FEE_BPS = (Decimal("1.1"), Decimal(3))


# Orders


def open_orders(exchange: Exchange, name_space: NameSpace, call: Call) -> Row:
    """Everything open, oldest first; paging parameters are ignored (dossier 5.16)."""
    symbol = call.params.get("instrument_name")
    orders = [
        each
        for each in exchange.stores[name_space].open.values()
        if symbol in (None, each.instrument_name) and serializers.is_readable(exchange, each)
    ]
    orders.sort(key=lambda order: order.create_time_ns)
    return {"data": [serializers.order_row(exchange, each, name_space) for each in orders]}


def order_detail(exchange: Exchange, name_space: NameSpace, call: Call) -> Row:
    """40401 or an empty result for an order that is not there, or not yet (dossier 5.17)."""
    order = order_changes.find(exchange, name_space, call)
    if order is not None and serializers.is_readable(exchange, order):
        return serializers.order_row(exchange, order, name_space)
    if exchange.behaviour.unknown_order == "empty":
        return {}
    raise Refusal(40401)


def order_history(exchange: Exchange, name_space: NameSpace, call: Call) -> Row:
    orders = parameters.finished_orders(exchange, name_space, call)
    return {"data": [serializers.order_row(exchange, each, name_space) for each in orders]}


def get_trades(exchange: Exchange, call: Call) -> Row:
    return {"data": [serializers.trade_row(exchange, each) for each in parameters.executions(exchange, call)]}


def cancel_all(exchange: Exchange, name_space: NameSpace, call: Call) -> Row | None:
    order_changes.cancel_all(exchange, name_space, call)
    return {} if exchange.behaviour.cancel_all_result == "empty" else None


def order_list_detail(exchange: Exchange, call: Call) -> Row:
    requested = call.params.get("list_id_list")
    if not isinstance(requested, list) or not requested:
        raise Refusal(40004, "Invalid list_id_list")
    order_lists = [exchange.lists[str(each)] for each in requested if str(each) in exchange.lists]
    legs = [exchange.stores[ADVANCED].by_id[order_id] for each in order_lists for order_id in each.order_ids]
    return {
        "data": [
            serializers.order_row(exchange, leg, ADVANCED)
            for leg in legs
            if serializers.is_readable(exchange, leg)
        ]
    }


def close_position(exchange: Exchange, call: Call) -> None:
    """Derivatives only (dossier 5.15): a spot pair has no position, and this account may not trade the others."""
    instrument = exchange.instruments.get(str(call.params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    parameters.choice_param(call.params, "type", ("LIMIT", "MARKET"), 218)
    raise Refusal(201 if instrument.symbol not in exchange.positions else 412)


# The account


def balance(exchange: Exchange, call: Call) -> Row:
    return {"data": [serializers.balance_row(exchange)]}


def balance_history(exchange: Exchange, call: Call) -> Row:
    """The value of today's holdings at each past full hour or day, newest last."""
    frame = parameters.choice_param(call.params, "timeframe", ("H1", "D1"), 40003, "D1")
    step, maximum = (HOUR_MS, 120) if frame == "H1" else (DAY_MS, 30)
    if isinstance(call.params.get("end_time"), str):
        raise Refusal(40003)
    end_ns = parameters.time_param_ns(call.params, "end_time")
    newest = (exchange.at_ms if end_ns is None else end_ns // NS_PER_MS - 1) // step * step
    count = parameters.page_size(exchange, call.params, maximum=maximum)
    moments = [newest - step * back for back in reversed(range(count))]
    return {
        "instrument_name": "USD",
        "data": [{"t": ms, "c": trimmed_text(value_usd(exchange, ms))} for ms in moments],
    }


def value_usd(exchange: Exchange, ms: int) -> Decimal:
    values = (
        amount * usd_price(exchange.prices, exchange.instruments, token, ms)
        for token, amount in exchange.ledger.balances.items()
        if amount
    )
    return truncate_to_8(sum(values, ZERO))


def accounts(exchange: Exchange, call: Call) -> Row:
    """A master account without sub-accounts and without access to derivatives."""
    master = {
        "uuid": exchange.account_uuid,
        "hierarchy": "MASTER",
        "master_account_uuid": exchange.account_uuid,
        "margin_account_uuid": exchange.account_uuid,
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
    identity = {"uuid": exchange.account_uuid, "hierarchy": "MASTER"}
    return {"this_account": identity, "master_account": master, "sub_account_list": []}


def fee_rate(exchange: Exchange, call: Call) -> Row:
    maker, taker = DERIVATIVE_FEE_BPS
    return {
        "spot_tier": "1",
        "deriv_tier": "1",
        "effective_spot_maker_rate_bps": bps_text(exchange.fees.maker_bps),
        "effective_spot_taker_rate_bps": bps_text(exchange.fees.taker_bps),
        "effective_deriv_maker_rate_bps": bps_text(maker),
        "effective_deriv_taker_rate_bps": bps_text(taker),
    }


def instrument_fee_rate(exchange: Exchange, call: Call) -> Row:
    instrument = exchange.instruments.get(str(call.params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    maker, taker = (
        (exchange.fees.maker_bps, exchange.fees.taker_bps) if instrument.is_spot else DERIVATIVE_FEE_BPS
    )
    return {
        "instrument_name": instrument.symbol,
        "effective_maker_rate_bps": bps_text(maker),
        "effective_taker_rate_bps": bps_text(taker),
    }


def bps_text(rate: Decimal) -> str:
    return decimal_text(rate.quantize(TEN_DECIMALS))


def positions(exchange: Exchange, call: Call) -> Row:
    requested = call.params.get("instrument_name")
    return {
        "data": [
            position_row(exchange, each)
            for each in exchange.positions.values()
            if requested in (None, each.instrument_name)
        ]
    }


def position_row(exchange: Exchange, position: Position) -> Row:
    """Cost at the entry price; profit against mark."""
    cost = position.quantity * position.entry_price
    profit = position.quantity * exchange.prices.mark(position.instrument_name, exchange.at_ms) - cost
    return {
        "account_id": exchange.account_uuid,
        "quantity": trimmed_text(position.quantity),
        "cost": trimmed_text(cost),
        "open_pos_cost": trimmed_text(cost),
        "open_position_pnl": trimmed_text(profit),
        "session_pnl": "0",
        "update_timestamp_ms": position.update_time_ms,
        "instrument_name": position.instrument_name,
        "type": "PERPETUAL_SWAP",
    }


def currency_networks(exchange: Exchange, call: Call) -> Row:
    """One invented network for every token; wallet methods answer in strings (dossier 0)."""
    tokens = sorted({each for row in exchange.instruments.values() for each in (row.base, row.quote)})
    return {"update_time": str(exchange.at_ms), "currency_map": {token: network(token) for token in tokens}}


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


PRIVATE_METHODS: dict[str, Method] = {
    "private/create-order": order_entry.create_plain,
    "private/amend-order": order_changes.amend_plain,
    "private/cancel-order": lambda exchange, call: order_changes.cancel_order(exchange, PLAIN, call),
    "private/cancel-all-orders": lambda exchange, call: cancel_all(exchange, PLAIN, call),
    "private/create-order-list": order_lists.create_plain_list,
    "private/cancel-order-list": order_lists.cancel_plain_list,
    "private/close-position": close_position,
    "private/get-open-orders": lambda exchange, call: open_orders(exchange, PLAIN, call),
    "private/get-order-detail": lambda exchange, call: order_detail(exchange, PLAIN, call),
    "private/get-order-history": lambda exchange, call: order_history(exchange, PLAIN, call),
    "private/get-trades": get_trades,
    "private/user-balance": balance,
    "private/user-balance-history": balance_history,
    "private/get-accounts": accounts,
    "private/get-fee-rate": fee_rate,
    "private/get-instrument-fee-rate": instrument_fee_rate,
    "private/get-positions": positions,
    "private/get-currency-networks": currency_networks,
    "private/get-deposit-history": wallet.deposit_history,
    "private/get-withdrawal-history": wallet.withdrawal_history,
    "private/get-transactions": wallet.transactions,
    "private/get-subaccount-balances": wallet.subaccount_balances,
}
ADVANCED_METHODS: dict[str, Method] = {
    "private/advanced/create-order": order_entry.create_trigger,
    "private/advanced/amend-order": order_changes.amend_advanced,
    "private/advanced/create-oco": order_lists.create_oco,
    "private/advanced/cancel-oco": order_lists.cancel_oco,
    "private/advanced/cancel-order": lambda exchange, call: order_changes.cancel_order(
        exchange, ADVANCED, call
    ),
    "private/advanced/cancel-all-orders": lambda exchange, call: cancel_all(exchange, ADVANCED, call),
    "private/advanced/get-open-orders": lambda exchange, call: open_orders(exchange, ADVANCED, call),
    "private/advanced/get-order-detail": lambda exchange, call: order_detail(exchange, ADVANCED, call),
    "private/advanced/get-order-history": lambda exchange, call: order_history(exchange, ADVANCED, call),
    "private/advanced/get-order-list-detail": order_list_detail,
    "private/advanced/create-oto": order_lists.create_oto,
    "private/advanced/cancel-oto": order_lists.cancel_attached,
    "private/advanced/create-otoco": order_lists.create_otoco,
    "private/advanced/cancel-otoco": order_lists.cancel_attached,
    "private/advanced/create-order-list": order_lists.create_advanced_list,
    "private/advanced/cancel-order-list": order_lists.cancel_advanced_list,
}
