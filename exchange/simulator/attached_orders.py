"""Orders with stop and take profit attached: OTO and OTOCO on spot pairs (dossier 5.25, 5.26, 6.3).

The triggers take effect when the first order is executed completely. Of two, one that executes ends the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator import matching, oco_pairs, order_entry, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.models import ADVANCED, ATTACHED, TRIGGERS, Order, OrderList
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

PRIMARY_TYPES = ("LIMIT", "MARKET")


def create_oto(exchange: Exchange, call: Call) -> dict[str, str]:
    return create(exchange, call, legs_wanted=2)


def create_otoco(exchange: Exchange, call: Call) -> dict[str, str]:
    return create(exchange, call, legs_wanted=3)


def cancel(exchange: Exchange, call: Call) -> None:
    """Queued for all open legs; cancel-oto and cancel-otoco are interchangeable (dossier 5.24)."""
    order_list = exchange.lists.get(str(call.params.get("list_id")))
    if order_list is not None and order_list.contingency_type != ATTACHED:
        raise Refusal(40004, "Invalid list_id")
    oco_pairs.cancel_list(exchange, order_list)


def create(exchange: Exchange, call: Call, *, legs_wanted: int) -> dict[str, str]:
    """The answer has only the list id, as for an OCO pair."""
    rows = oco_pairs.leg_rows(call, legs_wanted)
    legs = [build_leg(exchange, row, call, number) for number, row in enumerate(rows, start=1)]
    check_shape(legs)
    check_risk(exchange, legs)
    primary = register(exchange, legs)
    if primary.is_open:
        matching.match_order_now(exchange, primary)
    return {"list_id": primary.list_id}


def build_leg(exchange: Exchange, row: dict[str, Any], call: Call, number: int) -> Order:
    default_client_oid = call.default_client_oid if number == 1 else f"{call.default_client_oid}-{number}"
    types = PRIMARY_TYPES if number == 1 else TRIGGERS
    if row.get("type") not in types:
        raise Refusal(40004, "Invalid order_list")
    leg = order_entry.build_order(exchange, ADVANCED, row, types, default_client_oid)
    leg.contingency_type, leg.leg_id = ATTACHED, str(number)
    return leg


def check_shape(legs: list[Order]) -> None:
    """Triggers on the other side of the same instrument; of two, one stop and one take profit."""
    primary, *triggers = legs
    if any(leg.side == primary.side or leg.instrument_name != primary.instrument_name for leg in triggers):
        raise Refusal(50010)
    stops = sum(leg.order_type.startswith("STOP") for leg in triggers)
    if len(triggers) == 2 and stops != 1:
        raise Refusal(40004, "Invalid order_list")
    if len({leg.client_oid for leg in legs}) < len(legs):
        raise Refusal(204)


def check_risk(exchange: Exchange, legs: list[Order]) -> None:
    """As for single orders; only the first order needs funds. Its triggers follow its price, not the market's."""
    for leg in legs:
        order_entry.check_client_oid(exchange, leg)
        order_entry.check_open_order_limit(exchange, leg)
        if order_entry.is_below_minimum(exchange, leg):
            raise Refusal(415)
        if order_entry.is_too_large(exchange, leg):
            raise Refusal(314)
    if order_entry.is_outside_price_band(exchange, legs[0]):
        raise Refusal(315)
    if not order_entry.has_funds(exchange, legs[:1]):
        raise Refusal(306)


def register(exchange: Exchange, legs: list[Order]) -> Order:
    order_list = OrderList(list_id=exchange.ids.next("list"), contingency_type=ATTACHED, order_ids=[])
    exchange.lists[order_list.list_id] = order_list
    attach_order_id = exchange.ids.next("match")
    for leg in legs:
        leg.list_id, leg.attach_order_id = order_list.list_id, attach_order_id
        order_entry.register(exchange, leg)
        leg.waits_for = "" if leg is legs[0] else legs[0].order_id
        order_list.order_ids.append(leg.order_id)
    settlement.check_attached(exchange, legs[0])
    return legs[0]
