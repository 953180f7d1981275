"""Changing an open order in place (dossier 5.12, 5.22)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import calls, drafts, grid, matching, placing, reservations, risk
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import parse
from exchange.simulator.instruments import Instrument
from exchange.simulator.records import ADVANCED, PLAIN, TRIGGERS, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

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
        "limit_price": grid.on_tick(calls.price(params, "new_price"), instrument, 308),
        "quantity": new_quantity(x, order, instrument, params),
    }
    change(x, order, changes)
    x.stores[order.name_space].rename(order, calls.client_oid(params) or call.reference)
    return placing.ids_of(order)


def found_for_plain(x: Exchange, params: dict[str, Any]) -> Order | None:
    """Whether the LIMIT leg of a list can be amended here as well is not documented (11.13)."""
    ids = calls.text(params, "order_id"), calls.text(params, "orig_client_oid")
    order = x.stores[PLAIN].find(*ids)
    if order is not None or x.quirks.plain_amend_of_legs == "refused":
        return order
    leg = x.stores[ADVANCED].find(*ids)
    return leg if leg is not None and leg.list_id and leg.order_type == "LIMIT" else None


def amend_advanced(x: Exchange, call: Call) -> dict[str, str]:
    """Here client_oid selects. A new_price of 0 makes a trigger-market order, a price a trigger-limit (5.22)."""
    params = call.params
    order = x.stores[ADVANCED].find(calls.text(params, "order_id"), calls.text(params, "client_oid"))
    order = still_open(order)
    instrument = x.instruments[order.instrument_name]
    changes: Changes = {"quantity": new_quantity(x, order, instrument, params)}
    changes |= new_price(x, order, instrument, params)
    ref_price = calls.ref_price(params, "new_ref_price")
    if ref_price is not None:
        changes["ref_price"] = grid.on_tick(ref_price, instrument, 229)
    change(x, order, changes)
    return placing.ids_of(order)


def still_open(order: Order | None) -> Order:
    """212 for unknown and finished orders alike."""
    if order is None or not order.is_open:
        raise Refusal(212)
    return order


def new_quantity(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> Decimal:
    """The total; or what shall remain, if the quirk says so (11.13)."""
    asked = grid.on_lot(calls.quantity(params, "new_quantity"), instrument)
    total = asked + order.cumulative_quantity if x.quirks.amend_quantity == "remaining" else asked
    if total <= order.cumulative_quantity:
        raise Refusal(213)
    return total


def new_price(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> Changes:
    asked = calls.text(params, "new_price")
    if asked is None and x.quirks.advanced_amend_price == "required":
        raise Refusal(40004, "Missing new_price")
    if asked is None:
        return {}
    if order.order_type in TRIGGERS and parse(asked) == 0:
        kind = SWAP[order.order_type] if order.limit_price is not None else order.order_type
        return {"limit_price": None, "order_type": kind}
    code = x.quirks.advanced_price_code
    price = grid.on_tick(calls.price(params, "new_price", code=code), instrument, code)
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
    drafts.estimate(x, order, x.instruments[order.instrument_name])
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
        risk.check_trigger_side(x, order)
    if risk.far_away(x, order):
        raise Refusal(315)
    if reservations.locks(x, order) and not reservations.affordable(x, order):
        ids = placing.ids_of(order) if x.quirks.refusal_ids == "with_ids" else None
        raise Refusal(306, result=ids)
