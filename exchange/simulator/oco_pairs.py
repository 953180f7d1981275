"""Native OCO pairs: what a pair must be, and how both legs are booked and cancelled as one (dossier 5.23, 5.27)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import matching, order_entry, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.models import ADVANCED, TRIGGERS, Order, OrderList
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MIN_DISTANCE = Decimal("0.005")


def create_oco(exchange: Exchange, call: Call) -> dict[str, str]:
    """The answer has only the list id; the legs are found by their client ids or through the list."""
    legs = [build_leg(exchange, row, call, number) for number, row in enumerate(leg_rows(call), start=1)]
    check_shape(exchange, legs)
    check_risk(exchange, legs)
    order_list = register(exchange, legs)
    for leg in legs:
        if leg.is_open:
            matching.match_order_now(exchange, leg)
    return {"list_id": order_list.list_id}


def cancel_oco(exchange: Exchange, call: Call) -> None:
    """Queued for all open legs; unknown or finished lists are refused like orders."""
    cancel_list(exchange, exchange.lists.get(str(call.params.get("list_id"))))


def cancel_list(exchange: Exchange, order_list: OrderList | None) -> None:
    legs = settlement.open_legs(exchange, order_list) if order_list else []
    if not legs:
        raise Refusal(exchange.behaviour.cancel_unknown if order_list is None else 316)
    for leg in legs:
        if leg.is_open:
            settlement.cancel_order(exchange, leg)


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
    """A leg without client id gets its own order id (example 5.31)."""
    if not leg.client_oid:
        leg.client_oid = exchange.ids.peek(
            ADVANCED, overlap=exchange.behaviour.order_id_ranges == "overlapping"
        )


def leg_rows(call: Call, count: int = 2) -> list[dict[str, Any]]:
    rows = call.params.get("order_list")
    if not isinstance(rows, list) or len(rows) != count or not all(isinstance(row, dict) for row in rows):
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


# Order validation


def check_shape(exchange: Exchange, legs: list[Order]) -> None:
    """One LIMIT and one trigger; same instrument, side and quantity unless an option allows others (D18)."""
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
    """The validation of a single order for each leg, and funds for the larger leg at placement (D19)."""
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
    """The help centre requires half a percent of distance from mark; the API may not (11.12)."""
    mark = exchange.prices.mark(leg.instrument_name, exchange.at_ms)
    price = leg.ref_price or leg.limit_price or mark
    return exchange.behaviour.oco_min_distance == "half_percent" and abs(price - mark) < mark * MIN_DISTANCE
