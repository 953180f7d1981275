"""Native OCO orders: what a pair must be, and how both legs are booked as one (dossier 5.23)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import booking, drafts, matching, oco, placing, risk
from exchange.simulator.calls import Call
from exchange.simulator.codes import Refusal
from exchange.simulator.records import ADVANCED, TRIGGERS, Order, OrderList

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

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
    leg = drafts.draft(x, ADVANCED, row, ("LIMIT", *TRIGGERS), reference)
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
        risk.check_client_oid(x, leg)
        risk.check_room(x, leg)
        risk.check_trigger_side(x, leg)
        if too_near(x, leg):
            raise Refusal(50007)
        if risk.below_minimum(x, leg):
            raise Refusal(415)
        if risk.too_large(x, leg):
            raise Refusal(314)
        if risk.far_away(x, leg):
            raise Refusal(315)
    if not risk.covered(x, legs):
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
        placing.book(x, leg)
        linked.order_ids.append(leg.order_id)
    return linked


def name_default(x: Exchange, leg: Order) -> None:
    """A leg without client id takes its own order id for one (example 5.31)."""
    if not leg.client_oid:
        leg.client_oid = x.ids.peek(ADVANCED, overlap=x.quirks.order_id_ranges == "overlapping")


def cancel_oco(x: Exchange, call: Call) -> None:
    """Queued for all open legs; unknown or finished lists are refused like orders."""
    linked = x.lists.get(str(call.params.get("list_id")))
    legs = oco.open_legs(x, linked) if linked else []
    if not legs:
        raise Refusal(x.quirks.cancel_unknown if linked is None else 316)
    for leg in legs:
        if leg.is_open:
            booking.cancel(x, leg)
