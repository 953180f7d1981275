"""Cancelling by hand: one order, or all of a name space (dossier 5.13, 5.14, 5.27, 5.28).

Changing an open order in place (dossier 5.12, 5.22).

Native OCO orders: what a pair must be, and how both legs are booked as one (dossier 5.23).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import instruments, matching, order_entry, requests, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import Instrument, parse
from exchange.simulator.models import ADVANCED, PLAIN, TRIGGERS, NameSpace, Order, OrderList
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def find(x: Exchange, name_space: NameSpace, call: Call) -> Order | None:
    """By order_id or client_oid; 40004 with neither."""
    order_id, client_oid = requests.text(call.params, "order_id"), requests.text(call.params, "client_oid")
    if not order_id and not client_oid:
        raise Refusal(40004, "Missing order_id")
    return x.stores[name_space].find(order_id, client_oid)


def cancel(x: Exchange, name_space: NameSpace, call: Call) -> dict[str, str]:
    """Accepted is not done. 316 when the order is not active any more."""
    order = find(x, name_space, call)
    if order is None:
        raise Refusal(x.quirks.cancel_unknown)
    if not order.is_open:
        raise Refusal(316)
    settlement.cancel(x, order)
    return {"client_oid": order.client_oid, "order_id": x.stores[name_space].key(order)}


def cancel_all(x: Exchange, name_space: NameSpace, call: Call) -> None:
    """All open orders, of one instrument or one type if asked; code 0 only means queued."""
    symbol = requests.text(call.params, "instrument_name")
    kinds = ("LIMIT", "ALL") if name_space == "plain" else ("LIMIT", "TRIGGER", "ALL")
    kind = requests.one_of(call.params, "type", kinds, 40004, "ALL")
    for order in list(x.stores[name_space].open.values()):
        if order.is_open and symbol in (None, order.instrument_name) and _is_kind(order, kind):
            settlement.cancel(x, order)


def _is_kind(order: Order, kind: str) -> bool:
    if kind == "ALL":
        return True
    return (order.order_type in TRIGGERS) == (kind == "TRIGGER")


SWAP = {
    "STOP_LOSS": "STOP_LIMIT",
    "TAKE_PROFIT": "TAKE_PROFIT_LIMIT",
    "STOP_LIMIT": "STOP_LOSS",
    "TAKE_PROFIT_LIMIT": "TAKE_PROFIT",
}
Changes = dict[str, Any]


def amend_plain(x: Exchange, call: Call) -> dict[str, str]:
    """new_price and new_quantity both needed; the client id becomes the new one, or the request's (5.12)."""
    params = call.params
    order = still_open(found_for_plain(x, params))
    instrument = x.instruments[order.instrument_name]
    changes: Changes = {
        "limit_price": instruments.on_tick(requests.price(params, "new_price"), instrument, 308),
        "quantity": new_quantity(x, order, instrument, params),
    }
    change(x, order, changes)
    x.stores[order.name_space].rename(order, requests.client_oid(params) or call.reference)
    return order_entry.ids_of(order)


def found_for_plain(x: Exchange, params: dict[str, Any]) -> Order | None:
    """Whether the LIMIT leg of a list can be amended here as well is not documented (11.13)."""
    ids = requests.text(params, "order_id"), requests.text(params, "orig_client_oid")
    order = x.stores[PLAIN].find(*ids)
    if order is not None or x.quirks.plain_amend_of_legs == "refused":
        return order
    leg = x.stores[ADVANCED].find(*ids)
    return leg if leg is not None and leg.list_id and leg.order_type == "LIMIT" else None


def amend_advanced(x: Exchange, call: Call) -> dict[str, str]:
    """Here client_oid selects. A new_price of 0 makes a trigger-market order, a price a trigger-limit (5.22)."""
    params = call.params
    order = x.stores[ADVANCED].find(requests.text(params, "order_id"), requests.text(params, "client_oid"))
    order = still_open(order)
    instrument = x.instruments[order.instrument_name]
    changes: Changes = {"quantity": new_quantity(x, order, instrument, params)}
    changes |= new_price(x, order, instrument, params)
    ref_price = requests.ref_price(params, "new_ref_price")
    if ref_price is not None:
        changes["ref_price"] = instruments.on_tick(ref_price, instrument, 229)
    change(x, order, changes)
    return order_entry.ids_of(order)


def still_open(order: Order | None) -> Order:
    """212 for unknown and finished orders alike."""
    if order is None or not order.is_open:
        raise Refusal(212)
    return order


def new_quantity(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> Decimal:
    """The total; or what shall remain, if the quirk says so (11.13)."""
    asked = instruments.on_lot(requests.quantity(params, "new_quantity"), instrument)
    total = asked + order.cumulative_quantity if x.quirks.amend_quantity == "remaining" else asked
    if total <= order.cumulative_quantity:
        raise Refusal(213)
    return total


def new_price(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> Changes:
    asked = requests.text(params, "new_price")
    if asked is None and x.quirks.advanced_amend_price == "required":
        raise Refusal(40004, "Missing new_price")
    if asked is None:
        return {}
    if order.order_type in TRIGGERS and parse(asked) == 0:
        kind = SWAP[order.order_type] if order.limit_price is not None else order.order_type
        return {"limit_price": None, "order_type": kind}
    code = x.quirks.advanced_price_code
    price = instruments.on_tick(requests.price(params, "new_price", code=code), instrument, code)
    kind = SWAP[order.order_type] if order.limit_price is None else order.order_type
    return {"limit_price": price, "order_type": kind}


def change(x: Exchange, order: Order, changes: Changes) -> None:
    """All or nothing: an amended order that breaks a rule is put back as it was and the amend refused."""
    before = {name: getattr(order, name) for name in changes}
    if before == changes:
        raise Refusal(40004, "Nothing changes")
    apply(order, changes)
    try:
        check(x, order)
    except Refusal:
        apply(order, before)
        raise
    order_entry.estimate(x, order, x.instruments[order.instrument_name])
    order.update_time_ns = x.time_ns()
    order.entered = False
    x.revision += 1
    matching.visit_now(x, order)


def apply(order: Order, changes: Changes) -> None:
    for name, value in changes.items():
        setattr(order, name, value)


def check(x: Exchange, order: Order) -> None:
    """Funds, band and trigger side as for a new order; 306 comes with ids (dossier 1.1)."""
    if order.waits_for_trigger:
        order_entry.check_trigger_side(x, order)
    if order_entry.far_away(x, order):
        raise Refusal(315)
    if settlement.locks(x, order) and not settlement.affordable(x, order):
        ids = order_entry.ids_of(order) if x.quirks.refusal_ids == "with_ids" else None
        raise Refusal(306, result=ids)


NEAREST = Decimal("0.005")


def create_oco(x: Exchange, call: Call) -> dict[str, str]:
    """Answers only the list id; the legs are found by their client ids or through the list."""
    legs = [leg_draft(x, row, call, number) for number, row in enumerate(leg_rows(call), start=1)]
    check_shape(x, legs)
    check_market(x, legs)
    linked = book(x, legs)
    for leg in legs:
        if leg.is_open:
            matching.visit_now(x, leg)
    return {"list_id": linked.list_id}


def leg_rows(call: Call) -> list[dict[str, Any]]:
    rows = call.params.get("order_list")
    if not isinstance(rows, list) or len(rows) != 2 or not all(isinstance(row, dict) for row in rows):
        raise Refusal(40004, "Invalid order_list")
    return rows


def leg_draft(x: Exchange, row: dict[str, Any], call: Call, number: int) -> Order:
    """The second leg's default client id is the first's with "-2" (recorded in 2022)."""
    reference = call.reference if number == 1 else f"{call.reference}-{number}"
    leg = order_entry.draft(x, ADVANCED, row, ("LIMIT", *TRIGGERS), reference)
    leg.contingency_type, leg.leg_id = "OCO", str(number)
    if leg.ref_price_type not in ("", "MARK_PRICE") and row.get("ref_price_type"):
        raise Refusal(230)
    if leg.ref_price_type:
        leg.ref_price_type = "MARK_PRICE"
    if x.quirks.oco_default_client_oid == "order_id" and not row.get("client_oid"):
        leg.client_oid = ""
    return leg


def check_shape(x: Exchange, legs: list[Order]) -> None:
    """One LIMIT and one trigger; same instrument, side and quantity unless a quirk frees them (D18)."""
    limits = sum(leg.order_type == "LIMIT" for leg in legs)
    if limits != 1 and not (limits == 0 and x.quirks.oco_two_triggers == "accepted"):
        raise Refusal(40004, "Invalid order_list")
    first, second = legs
    same = all(
        getattr(first, name) == getattr(second, name) for name in ("instrument_name", "side", "quantity")
    )
    if not same and x.quirks.oco_legs == "must_match":
        raise Refusal(50010)
    repeated = bool(first.client_oid) and first.client_oid == second.client_oid
    if repeated and x.quirks.oco_leg_client_oids == "must_differ":
        raise Refusal(204)


def check_market(x: Exchange, legs: list[Order]) -> None:
    """Everything a single order is checked for, and the funds for the larger leg at once (D19)."""
    for leg in legs:
        order_entry.check_client_oid(x, leg)
        order_entry.check_room(x, leg)
        order_entry.check_trigger_side(x, leg)
        if too_near(x, leg):
            raise Refusal(50007)
        if order_entry.below_minimum(x, leg):
            raise Refusal(415)
        if order_entry.too_large(x, leg):
            raise Refusal(314)
        if order_entry.far_away(x, leg):
            raise Refusal(315)
    if not order_entry.covered(x, legs):
        raise Refusal(306)


def too_near(x: Exchange, leg: Order) -> bool:
    """The help centre keeps legs half a percent away from mark; the interface may not (11.12)."""
    mark = x.prices.mark(leg.instrument_name, x.at_ms)
    price = leg.ref_price or leg.limit_price or mark
    return x.quirks.oco_min_distance == "half_percent" and abs(price - mark) < mark * NEAREST


def book(x: Exchange, legs: list[Order]) -> OrderList:
    linked = OrderList(list_id=x.ids.next("list"), contingency_type="OCO", order_ids=[])
    x.lists[linked.list_id] = linked
    for leg in legs:
        leg.list_id = linked.list_id
        name_default(x, leg)
        order_entry.book(x, leg)
        linked.order_ids.append(leg.order_id)
    return linked


def name_default(x: Exchange, leg: Order) -> None:
    """A leg without client id takes its own order id for one (example 5.31)."""
    if not leg.client_oid:
        leg.client_oid = x.ids.peek(ADVANCED, overlap=x.quirks.order_id_ranges == "overlapping")


def cancel_oco(x: Exchange, call: Call) -> None:
    """Queued for all open legs; unknown or finished lists are refused like orders."""
    linked = x.lists.get(str(call.params.get("list_id")))
    legs = settlement.open_legs(x, linked) if linked else []
    if not legs:
        raise Refusal(x.quirks.cancel_unknown if linked is None else 316)
    for leg in legs:
        if leg.is_open:
            settlement.cancel(x, leg)
