"""Cancelling by hand: one order, or all of a name space (dossier 5.13, 5.14, 5.27, 5.28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import booking, calls
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.records import TRIGGERS, NameSpace, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


def find(x: Exchange, name_space: NameSpace, call: Call) -> Order | None:
    """By order_id or client_oid; 40004 with neither."""
    order_id, client_oid = calls.text(call.params, "order_id"), calls.text(call.params, "client_oid")
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
    booking.cancel(x, order)
    return {"client_oid": order.client_oid, "order_id": x.stores[name_space].key(order)}


def cancel_all(x: Exchange, name_space: NameSpace, call: Call) -> None:
    """All open orders, of one instrument or one type if asked; code 0 only means queued."""
    symbol = calls.text(call.params, "instrument_name")
    kinds = ("LIMIT", "ALL") if name_space == "plain" else ("LIMIT", "TRIGGER", "ALL")
    kind = calls.one_of(call.params, "type", kinds, 40004, "ALL")
    for order in list(x.stores[name_space].open.values()):
        if order.is_open and symbol in (None, order.instrument_name) and _is_kind(order, kind):
            booking.cancel(x, order)


def _is_kind(order: Order, kind: str) -> bool:
    if kind == "ALL":
        return True
    return (order.order_type in TRIGGERS) == (kind == "TRIGGER")
