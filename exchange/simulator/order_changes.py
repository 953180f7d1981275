"""Cancelling orders (dossier 5.13, 5.14, 5.28) and amending them in place (dossier 5.12, 5.22)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import instruments, matching, order_entry, parameters, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import Instrument, parse_decimal
from exchange.simulator.models import ADVANCED, PLAIN, TRIGGERS, NameSpace, Order
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MARKET_LIMIT_COUNTERPART = {
    "STOP_LOSS": "STOP_LIMIT",
    "TAKE_PROFIT": "TAKE_PROFIT_LIMIT",
    "STOP_LIMIT": "STOP_LOSS",
    "TAKE_PROFIT_LIMIT": "TAKE_PROFIT",
}
Changes = dict[str, Any]


# Cancelling


def find(exchange: Exchange, name_space: NameSpace, call: Call) -> Order | None:
    """By order_id or client_oid; 40004 with neither."""
    order_id, client_oid = (
        parameters.text_param(call.params, "order_id"),
        parameters.text_param(call.params, "client_oid"),
    )
    if not order_id and not client_oid:
        raise Refusal(40004, "Missing order_id")
    return exchange.stores[name_space].find(order_id, client_oid)


def cancel_order(exchange: Exchange, name_space: NameSpace, call: Call) -> dict[str, str]:
    """Accepted does not mean cancelled yet. 316 when the order is no longer active."""
    order = find(exchange, name_space, call)
    if order is None:
        raise Refusal(exchange.behaviour.cancel_unknown)
    if not order.is_open:
        raise Refusal(316)
    settlement.cancel_order(exchange, order)
    return {"client_oid": order.client_oid, "order_id": exchange.stores[name_space].key(order)}


def cancel_all(exchange: Exchange, name_space: NameSpace, call: Call) -> None:
    """All open orders, or those of one instrument or type; code 0 only means queued."""
    symbol = parameters.text_param(call.params, "instrument_name")
    kinds = ("LIMIT", "ALL") if name_space == "plain" else ("LIMIT", "TRIGGER", "ALL")
    kind = parameters.choice_param(call.params, "type", kinds, 40004, "ALL")
    for order in list(exchange.stores[name_space].open.values()):
        if order.is_open and symbol in (None, order.instrument_name) and _has_type(order, kind):
            settlement.cancel_order(exchange, order)


def _has_type(order: Order, kind: str) -> bool:
    if kind == "ALL":
        return True
    return (order.order_type in TRIGGERS) == (kind == "TRIGGER")


# Amending


def amend_plain(exchange: Exchange, call: Call) -> dict[str, str]:
    """new_price and new_quantity both needed; the client id becomes the new one, or the request's (5.12)."""
    params = call.params
    order = require_open(find_plain_amendable(exchange, params))
    instrument = exchange.instruments[order.instrument_name]
    changes: Changes = {
        "limit_price": instruments.check_on_tick(parameters.price(params, "new_price"), instrument, 308),
        "quantity": amended_quantity(exchange, order, instrument, params),
    }
    amend_order(exchange, order, changes)
    exchange.stores[order.name_space].change_client_oid(
        order, parameters.client_oid(params) or call.default_client_oid
    )
    return order_entry.response_ids(order)


def find_plain_amendable(exchange: Exchange, params: dict[str, Any]) -> Order | None:
    """It is undocumented whether the LIMIT leg of a list can be amended here as well (11.13)."""
    ids = parameters.text_param(params, "order_id"), parameters.text_param(params, "orig_client_oid")
    order = exchange.stores[PLAIN].find(*ids)
    if order is not None or exchange.behaviour.plain_amend_of_legs == "refused":
        return order
    leg = exchange.stores[ADVANCED].find(*ids)
    return leg if leg is not None and leg.list_id and leg.order_type == "LIMIT" else None


def amend_advanced(exchange: Exchange, call: Call) -> dict[str, str]:
    """client_oid selects the order. A new_price of 0 makes a trigger-market order, a price a trigger-limit (5.22)."""
    params = call.params
    order = exchange.stores[ADVANCED].find(
        parameters.text_param(params, "order_id"), parameters.text_param(params, "client_oid")
    )
    order = require_open(order)
    instrument = exchange.instruments[order.instrument_name]
    changes: Changes = {"quantity": amended_quantity(exchange, order, instrument, params)}
    changes |= price_changes(exchange, order, instrument, params)
    ref_price = parameters.ref_price(params, "new_ref_price")
    if ref_price is not None:
        changes["ref_price"] = instruments.check_on_tick(ref_price, instrument, 229)
    amend_order(exchange, order, changes)
    return order_entry.response_ids(order)


def require_open(order: Order | None) -> Order:
    """212 for unknown and finished orders alike."""
    if order is None or not order.is_open:
        raise Refusal(212)
    return order


def amended_quantity(
    exchange: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]
) -> Decimal:
    """The total; or what remains open, if the option is set so (11.13)."""
    requested = instruments.check_on_lot(parameters.quantity(params, "new_quantity"), instrument)
    total = (
        requested + order.cumulative_quantity
        if exchange.behaviour.amend_quantity == "remaining"
        else requested
    )
    if total <= order.cumulative_quantity:
        raise Refusal(213)
    return total


def price_changes(
    exchange: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]
) -> Changes:
    requested = parameters.text_param(params, "new_price")
    if requested is None and exchange.behaviour.advanced_amend_price == "required":
        raise Refusal(40004, "Missing new_price")
    if requested is None:
        return {}
    if order.order_type in TRIGGERS and parse_decimal(requested) == 0:
        kind = (
            MARKET_LIMIT_COUNTERPART[order.order_type] if order.limit_price is not None else order.order_type
        )
        return {"limit_price": None, "order_type": kind}
    code = exchange.behaviour.advanced_price_code
    price = instruments.check_on_tick(parameters.price(params, "new_price", code=code), instrument, code)
    kind = MARKET_LIMIT_COUNTERPART[order.order_type] if order.limit_price is None else order.order_type
    return {"limit_price": price, "order_type": kind}


def amend_order(exchange: Exchange, order: Order, changes: Changes) -> None:
    """All or nothing: if the amended order breaks a rule it is restored and the amend refused."""
    before = {name: getattr(order, name) for name in changes}
    if before == changes:
        raise Refusal(40004, "Nothing changes")
    set_fields(order, changes)
    try:
        check_amended(exchange, order)
    except Refusal:
        set_fields(order, before)
        raise
    order_entry.estimate_value(exchange, order, exchange.instruments[order.instrument_name])
    order.update_time_ns = exchange.time_ns()
    order.entered = False
    exchange.order_changed(order)
    matching.match_order_now(exchange, order)


def set_fields(order: Order, changes: Changes) -> None:
    for name, value in changes.items():
        setattr(order, name, value)


def check_amended(exchange: Exchange, order: Order) -> None:
    """Funds, band and trigger side as for a new order; 306 comes with ids (dossier 1.1)."""
    if order.waits_for_trigger:
        order_entry.check_trigger_side(exchange, order)
    if order_entry.is_outside_price_band(exchange, order):
        raise Refusal(315)
    if settlement.reserves(exchange, order) and not settlement.can_afford(exchange, order):
        ids = order_entry.response_ids(order) if exchange.behaviour.refusal_ids == "with_ids" else None
        raise Refusal(306, result=ids)
