"""Several orders in one request: lists (dossier 5.32), OCO pairs (5.23, 5.27), and OTO and OTOCO (5.25, 5.26, 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import matching, order_changes, order_entry, parameters, settlement
from exchange.simulator.config import Refusal, code_name
from exchange.simulator.models import ADVANCED, ATTACHED, PLAIN, TRIGGERS, NameSpace, Order, OrderList, Row
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

MAX_ORDERS = 10
MIN_DISTANCE = Decimal("0.005")
PRIMARY_TYPES = ("LIMIT", "MARKET")


# Lists of orders, each with its own outcome


def create_plain_list(exchange: Exchange, call: Call) -> Any:
    """LIST only; linked kinds moved away (dossier 8)."""
    kind = parameters.choice_param(call.params, "contingency_type", ("LIST", "OCO", "OTO", "OTOCO"), 40004)
    if kind != "LIST":
        raise Refusal(140001)
    return each_order(exchange, call, order_entry.create_plain)


def create_advanced_list(exchange: Exchange, call: Call) -> Any:
    """Trigger orders, not linked to each other."""
    return each_order(exchange, call, order_entry.create_trigger)


def cancel_plain_list(exchange: Exchange, call: Call) -> Any:
    parameters.choice_param(call.params, "contingency_type", ("LIST",), 40004, "LIST")
    return each_order(exchange, call, cancel_item(PLAIN))


def cancel_advanced_list(exchange: Exchange, call: Call) -> Any:
    return each_order(exchange, call, cancel_item(ADVANCED))


def cancel_item(name_space: NameSpace) -> Callable[[Exchange, Call], Row]:
    """An accepted cancel answers with neither id."""

    def cancel(exchange: Exchange, call: Call) -> Row:
        order_changes.cancel_order(exchange, name_space, call)
        return {}

    return cancel


def each_order(exchange: Exchange, call: Call, act: Callable[[Exchange, Call], Any]) -> Any:
    """What became of each row. A failure is code 0 or 10001 above them (option)."""
    rows = call.params.get("order_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ORDERS:
        raise Refusal(40004, "Invalid order_list")
    outcomes = [outcome(exchange, call, index, row, act) for index, row in enumerate(rows)]
    if any(each["code"] for each in outcomes) and exchange.behaviour.list_failure == "code_10001":
        raise Refusal(10001, result={"result_list": outcomes})
    return outcomes


def outcome(
    exchange: Exchange, call: Call, index: int, row: Any, act: Callable[[Exchange, Call], Any]
) -> Row:
    default_client_oid = call.default_client_oid if index == 0 else f"{call.default_client_oid}-{index + 1}"
    params = row if isinstance(row, dict) else {}
    try:
        ids = act(exchange, Call(method=call.method, params=params, default_client_oid=default_client_oid))
    except Refusal as refusal:
        failed: Row = {"code": refusal.code, "index": index, "message": code_name(refusal.code)}
        return failed | (refusal.result or {"client_oid": params.get("client_oid", default_client_oid)})
    return {"code": 0, "index": index, **ids}


# Native OCO pairs: what a pair must be, and how both legs are booked and cancelled as one


def create_oco(exchange: Exchange, call: Call) -> dict[str, str]:
    """The answer has only the list id; the legs are found by their client ids or through the list."""
    legs = [build_oco_leg(exchange, row, call, number) for number, row in enumerate(leg_rows(call), start=1)]
    check_oco_shape(exchange, legs)
    check_oco_risk(exchange, legs)
    order_list = register_oco(exchange, legs)
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


def register_oco(exchange: Exchange, legs: list[Order]) -> OrderList:
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


def build_oco_leg(exchange: Exchange, row: dict[str, Any], call: Call, number: int) -> Order:
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


def check_oco_shape(exchange: Exchange, legs: list[Order]) -> None:
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


def check_oco_risk(exchange: Exchange, legs: list[Order]) -> None:
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


# Orders with stop and take profit attached: OTO and OTOCO on spot pairs.
#
# The triggers take effect when the first order is executed completely. Of two, one that executes ends the other.


def create_oto(exchange: Exchange, call: Call) -> dict[str, str]:
    return create_attached(exchange, call, legs_wanted=2)


def create_otoco(exchange: Exchange, call: Call) -> dict[str, str]:
    return create_attached(exchange, call, legs_wanted=3)


def cancel_attached(exchange: Exchange, call: Call) -> None:
    """Queued for all open legs; cancel-oto and cancel-otoco are interchangeable (dossier 5.24)."""
    order_list = exchange.lists.get(str(call.params.get("list_id")))
    if order_list is not None and order_list.contingency_type != ATTACHED:
        raise Refusal(40004, "Invalid list_id")
    cancel_list(exchange, order_list)


def create_attached(exchange: Exchange, call: Call, *, legs_wanted: int) -> dict[str, str]:
    """The answer has only the list id, as for an OCO pair."""
    rows = leg_rows(call, legs_wanted)
    legs = [build_attached_leg(exchange, row, call, number) for number, row in enumerate(rows, start=1)]
    check_attached_shape(legs)
    check_attached_risk(exchange, legs)
    primary = register_attached(exchange, legs)
    if primary.is_open:
        matching.match_order_now(exchange, primary)
    return {"list_id": primary.list_id}


def build_attached_leg(exchange: Exchange, row: dict[str, Any], call: Call, number: int) -> Order:
    default_client_oid = call.default_client_oid if number == 1 else f"{call.default_client_oid}-{number}"
    types = PRIMARY_TYPES if number == 1 else TRIGGERS
    if row.get("type") not in types:
        raise Refusal(40004, "Invalid order_list")
    leg = order_entry.build_order(exchange, ADVANCED, row, types, default_client_oid)
    leg.contingency_type, leg.leg_id = ATTACHED, str(number)
    return leg


def check_attached_shape(legs: list[Order]) -> None:
    """Triggers on the other side of the same instrument; of two, one stop and one take profit."""
    primary, *triggers = legs
    if any(leg.side == primary.side or leg.instrument_name != primary.instrument_name for leg in triggers):
        raise Refusal(50010)
    stops = sum(leg.order_type.startswith("STOP") for leg in triggers)
    if len(triggers) == 2 and stops != 1:
        raise Refusal(40004, "Invalid order_list")
    if len({leg.client_oid for leg in legs}) < len(legs):
        raise Refusal(204)


def check_attached_risk(exchange: Exchange, legs: list[Order]) -> None:
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


def register_attached(exchange: Exchange, legs: list[Order]) -> Order:
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
