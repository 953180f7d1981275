"""Cancelling by hand: one order, or all of a name space (dossier 5.13, 5.14, 5.27, 5.28).

Changing an open order in place (dossier 5.12, 5.22).

Native OCO orders: what a pair must be, and how both legs are booked as one (dossier 5.23).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import instruments, matching, order_entry, requests, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import Instrument, parse_decimal
from exchange.simulator.models import ADVANCED, PLAIN, TRIGGERS, NameSpace, Order, OrderList
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def find(exchange: Exchange, name_space: NameSpace, call: Call) -> Order | None:
    """By order_id or client_oid; 40004 with neither."""
    order_id, client_oid = (
        requests.text_param(call.params, "order_id"),
        requests.text_param(call.params, "client_oid"),
    )
    if not order_id and not client_oid:
        raise Refusal(40004, "Missing order_id")
    return exchange.stores[name_space].find(order_id, client_oid)


def cancel_order(exchange: Exchange, name_space: NameSpace, call: Call) -> dict[str, str]:
    """Accepted is not done. 316 when the order is not active any more."""
    order = find(exchange, name_space, call)
    if order is None:
        raise Refusal(exchange.behaviour.cancel_unknown)
    if not order.is_open:
        raise Refusal(316)
    settlement.cancel_order(exchange, order)
    return {"client_oid": order.client_oid, "order_id": exchange.stores[name_space].key(order)}


def cancel_all(exchange: Exchange, name_space: NameSpace, call: Call) -> None:
    """All open orders, of one instrument or one type if asked; code 0 only means queued."""
    symbol = requests.text_param(call.params, "instrument_name")
    kinds = ("LIMIT", "ALL") if name_space == "plain" else ("LIMIT", "TRIGGER", "ALL")
    kind = requests.choice_param(call.params, "type", kinds, 40004, "ALL")
    for order in list(exchange.stores[name_space].open.values()):
        if order.is_open and symbol in (None, order.instrument_name) and _has_type(order, kind):
            settlement.cancel_order(exchange, order)


def _has_type(order: Order, kind: str) -> bool:
    if kind == "ALL":
        return True
    return (order.order_type in TRIGGERS) == (kind == "TRIGGER")


MARKET_LIMIT_COUNTERPART = {
    "STOP_LOSS": "STOP_LIMIT",
    "TAKE_PROFIT": "TAKE_PROFIT_LIMIT",
    "STOP_LIMIT": "STOP_LOSS",
    "TAKE_PROFIT_LIMIT": "TAKE_PROFIT",
}
Changes = dict[str, Any]


def amend_plain(exchange: Exchange, call: Call) -> dict[str, str]:
    """new_price and new_quantity both needed; the client id becomes the new one, or the request's (5.12)."""
    params = call.params
    order = require_open(find_plain_amendable(exchange, params))
    instrument = exchange.instruments[order.instrument_name]
    changes: Changes = {
        "limit_price": instruments.check_on_tick(requests.price(params, "new_price"), instrument, 308),
        "quantity": amended_quantity(exchange, order, instrument, params),
    }
    amend_order(exchange, order, changes)
    exchange.stores[order.name_space].change_client_oid(
        order, requests.client_oid(params) or call.default_client_oid
    )
    return order_entry.response_ids(order)


def find_plain_amendable(exchange: Exchange, params: dict[str, Any]) -> Order | None:
    """Whether the LIMIT leg of a list can be amended here as well is not documented (11.13)."""
    ids = requests.text_param(params, "order_id"), requests.text_param(params, "orig_client_oid")
    order = exchange.stores[PLAIN].find(*ids)
    if order is not None or exchange.behaviour.plain_amend_of_legs == "refused":
        return order
    leg = exchange.stores[ADVANCED].find(*ids)
    return leg if leg is not None and leg.list_id and leg.order_type == "LIMIT" else None


def amend_advanced(exchange: Exchange, call: Call) -> dict[str, str]:
    """Here client_oid selects. A new_price of 0 makes a trigger-market order, a price a trigger-limit (5.22)."""
    params = call.params
    order = exchange.stores[ADVANCED].find(
        requests.text_param(params, "order_id"), requests.text_param(params, "client_oid")
    )
    order = require_open(order)
    instrument = exchange.instruments[order.instrument_name]
    changes: Changes = {"quantity": amended_quantity(exchange, order, instrument, params)}
    changes |= price_changes(exchange, order, instrument, params)
    ref_price = requests.ref_price(params, "new_ref_price")
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
    """The total; or what shall remain, if the quirk says so (11.13)."""
    requested = instruments.check_on_lot(requests.quantity(params, "new_quantity"), instrument)
    total = (
        requested + order.cumulative_quantity if exchange.behaviour.amend_quantity == "remaining" else requested
    )
    if total <= order.cumulative_quantity:
        raise Refusal(213)
    return total


def price_changes(
    exchange: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]
) -> Changes:
    requested = requests.text_param(params, "new_price")
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
    price = instruments.check_on_tick(requests.price(params, "new_price", code=code), instrument, code)
    kind = MARKET_LIMIT_COUNTERPART[order.order_type] if order.limit_price is None else order.order_type
    return {"limit_price": price, "order_type": kind}


def amend_order(exchange: Exchange, order: Order, changes: Changes) -> None:
    """All or nothing: an amended order that breaks a rule is put back as it was and the amend refused."""
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
    exchange.revision += 1
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


MIN_DISTANCE = Decimal("0.005")


def create_oco(exchange: Exchange, call: Call) -> dict[str, str]:
    """Answers only the list id; the legs are found by their client ids or through the list."""
    legs = [build_leg(exchange, row, call, number) for number, row in enumerate(leg_rows(call), start=1)]
    check_shape(exchange, legs)
    check_risk(exchange, legs)
    order_list = register(exchange, legs)
    for leg in legs:
        if leg.is_open:
            matching.match_order_now(exchange, leg)
    return {"list_id": order_list.list_id}


def leg_rows(call: Call) -> list[dict[str, Any]]:
    rows = call.params.get("order_list")
    if not isinstance(rows, list) or len(rows) != 2 or not all(isinstance(row, dict) for row in rows):
        raise Refusal(40004, "Invalid order_list")
    return rows


def build_leg(exchange: Exchange, row: dict[str, Any], call: Call, number: int) -> Order:
    """The second leg's default client id is the first's with "-2" (recorded in 2022)."""
    default_client_oid = call.default_client_oid if number == 1 else f"{call.default_client_oid}-{number}"
    leg = order_entry.build_order(exchange, ADVANCED, row, ("LIMIT", *TRIGGERS), default_client_oid)
    leg.contingency_type, leg.leg_id = "OCO", str(number)
    if leg.ref_price_type not in ("", "MARK_PRICE") and row.get("ref_price_type"):
        raise Refusal(230)
    if leg.ref_price_type:
        leg.ref_price_type = "MARK_PRICE"
    if exchange.behaviour.oco_default_client_oid == "order_id" and not row.get("client_oid"):
        leg.client_oid = ""
    return leg


def check_shape(exchange: Exchange, legs: list[Order]) -> None:
    """One LIMIT and one trigger; same instrument, side and quantity unless a quirk frees them (D18)."""
    limits = sum(leg.order_type == "LIMIT" for leg in legs)
    if limits != 1 and not (limits == 0 and exchange.behaviour.oco_two_triggers == "accepted"):
        raise Refusal(40004, "Invalid order_list")
    first, second = legs
    same = all(
        getattr(first, name) == getattr(second, name) for name in ("instrument_name", "side", "quantity")
    )
    if not same and exchange.behaviour.oco_legs == "must_match":
        raise Refusal(50010)
    repeated = bool(first.client_oid) and first.client_oid == second.client_oid
    if repeated and exchange.behaviour.oco_leg_client_oids == "must_differ":
        raise Refusal(204)


def check_risk(exchange: Exchange, legs: list[Order]) -> None:
    """Everything a single order is checked for, and the funds for the larger leg at once (D19)."""
    for leg in legs:
        order_entry.check_client_oid(exchange, leg)
        order_entry.check_open_order_limit(exchange, leg)
        order_entry.check_trigger_side(exchange, leg)
        if is_within_min_distance(exchange, leg):
            raise Refusal(50007)
        if order_entry.is_below_minimum(exchange, leg):
            raise Refusal(415)
        if order_entry.is_too_large(exchange, leg):
            raise Refusal(314)
        if order_entry.is_outside_price_band(exchange, leg):
            raise Refusal(315)
    if not order_entry.has_funds(exchange, legs):
        raise Refusal(306)


def is_within_min_distance(exchange: Exchange, leg: Order) -> bool:
    """The help centre keeps legs half a percent away from mark; the interface may not (11.12)."""
    mark = exchange.prices.mark(leg.instrument_name, exchange.at_ms)
    price = leg.ref_price or leg.limit_price or mark
    return exchange.behaviour.oco_min_distance == "half_percent" and abs(price - mark) < mark * MIN_DISTANCE


def register(exchange: Exchange, legs: list[Order]) -> OrderList:
    order_list = OrderList(list_id=exchange.ids.next("list"), contingency_type="OCO", order_ids=[])
    exchange.lists[order_list.list_id] = order_list
    for leg in legs:
        leg.list_id = order_list.list_id
        set_default_client_oid(exchange, leg)
        order_entry.register(exchange, leg)
        order_list.order_ids.append(leg.order_id)
    return order_list


def set_default_client_oid(exchange: Exchange, leg: Order) -> None:
    """A leg without client id takes its own order id for one (example 5.31)."""
    if not leg.client_oid:
        leg.client_oid = exchange.ids.peek(ADVANCED, overlap=exchange.behaviour.order_id_ranges == "overlapping")


def cancel_oco(exchange: Exchange, call: Call) -> None:
    """Queued for all open legs; unknown or finished lists are refused like orders."""
    order_list = exchange.lists.get(str(call.params.get("list_id")))
    legs = settlement.open_legs(exchange, order_list) if order_list else []
    if not legs:
        raise Refusal(exchange.behaviour.cancel_unknown if order_list is None else 316)
    for leg in legs:
        if leg.is_open:
            settlement.cancel_order(exchange, leg)
