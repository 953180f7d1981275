"""private/advanced/*: single trigger orders and native OCO pairs (dossier 5.20 to 5.31)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import amending, cancelling, pairs, placing, rows
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.methods_private import Method, cancel_all, open_orders, order_detail, order_history
from exchange.simulator.records import ADVANCED, Row

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


def order_list_detail(x: Exchange, call: Call) -> Row:
    """The legs of all the lists asked for; unknown lists add nothing."""
    wanted = call.params.get("list_id_list")
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(40004, "Invalid list_id_list")
    linked = [x.lists[str(each)] for each in wanted if str(each) in x.lists]
    legs = [x.stores[ADVANCED].by_id[order_id] for each in linked for order_id in each.order_ids]
    return {"data": [rows.order_row(x, leg, ADVANCED) for leg in legs if rows.readable(x, leg)]}


def not_built(x: Exchange, call: Call) -> None:
    """OTO, OTOCO and advanced lists are not part of this simulator."""
    raise Refusal(140001)


METHODS: dict[str, Method] = {
    "private/advanced/create-order": placing.create_trigger,
    "private/advanced/amend-order": amending.amend_advanced,
    "private/advanced/create-oco": pairs.create_oco,
    "private/advanced/cancel-oco": pairs.cancel_oco,
    "private/advanced/cancel-order": lambda x, call: cancelling.cancel(x, ADVANCED, call),
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
