"""Accepting a new order: ids, the answer, and its first meeting with the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import booking, drafts, matching, risk
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.records import PLAIN, TRIGGERS, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

Ids = dict[str, str]


def place(x: Exchange, order: Order) -> Ids:
    """Check, book and expose one order. The answer only says that it was received (dossier 5)."""
    risk.check_client_oid(x, order)
    risk.check_room(x, order)
    risk.check_trigger_side(x, order)
    code = risk.problem(x, order)
    if code:
        return refuse(x, order, code)
    book(x, order)
    matching.visit_now(x, order)
    return ids_of(order)


def book(x: Exchange, order: Order) -> None:
    """Give it its id and times and put it among the open orders."""
    order.order_id = x.ids.next(order.name_space, overlap=x.quirks.order_id_ranges == "overlapping")
    order.create_time_ns = order.update_time_ns = x.time_ns()
    order.active_from_ms = x.at_ms + x.quirks.ack_delay_ms
    order.status = x.quirks.untriggered_status if order.order_type in TRIGGERS else "ACTIVE"
    booking.hold(x, order)
    x.add_order(order)


def refuse(x: Exchange, order: Order, code: int) -> Ids:
    """A risk refusal: with a record and its ids, with nothing, or only later on the record (quirk)."""
    if x.quirks.refusal_ids == "without_ids":
        raise Refusal(code)
    book(x, order)
    booking.end(x, order, "REJECTED", code)
    if x.quirks.refusal_ids == "with_ids":
        raise Refusal(code, result=ids_of(order))
    return ids_of(order)


def ids_of(order: Order) -> Ids:
    return {"client_oid": order.client_oid, "order_id": order.order_id}


def create_plain(x: Exchange, call: Call) -> Ids:
    return place(x, drafts.draft(x, PLAIN, call.params, ("LIMIT", "MARKET"), call.reference))


def create_trigger(x: Exchange, call: Call) -> Ids:
    return place(x, drafts.draft(x, "advanced", call.params, TRIGGERS, call.reference))
