"""Creating single orders: reading the parameters, order validation, and the first meeting with the market."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import instruments, matching, parameters, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import ZERO, Instrument, normalized
from exchange.simulator.models import (
    ADVANCED,
    LIMIT_TRIGGERS,
    NS_PER_MS,
    PLAIN,
    TRIGGERS,
    NameSpace,
    Order,
    allowed_fee_tokens,
    default_fee_token,
)
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

TIMES_IN_FORCE = ("GOOD_TILL_CANCEL", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL")
EXEC_INSTRUCTIONS = ("POST_ONLY", "SMART_POST_ONLY", "REDUCE_ONLY", "ISOLATED_MARGIN", "MARGIN_ORDER")
REF_PRICE_TYPES = ("MARK_PRICE", "INDEX_PRICE", "LAST_PRICE")
TYPES_WITH_LIMIT = ("LIMIT", *LIMIT_TRIGGERS)
MAX_OPEN_PER_PAIR, MAX_OPEN_TOTAL = 200, 1000
MIN_ORDER_USD = Decimal(1)
PASSIVE_MIN_RATIO, PASSIVE_MAX_RATIO = Decimal("0.1"), Decimal(10)
OrderIds = dict[str, str]


def create_plain(exchange: Exchange, call: Call) -> OrderIds:
    return place(
        exchange, build_order(exchange, PLAIN, call.params, ("LIMIT", "MARKET"), call.default_client_oid)
    )


def create_trigger(exchange: Exchange, call: Call) -> OrderIds:
    return place(exchange, build_order(exchange, ADVANCED, call.params, TRIGGERS, call.default_client_oid))


def place(exchange: Exchange, order: Order) -> OrderIds:
    """Validate, register and match one order. The answer only confirms that it was received (dossier 5)."""
    check_client_oid(exchange, order)
    check_open_order_limit(exchange, order)
    check_trigger_side(exchange, order)
    code = refusal_code(exchange, order)
    if code:
        return refuse_order(exchange, order, code)
    register(exchange, order)
    matching.match_order_now(exchange, order)
    return response_ids(order)


def register(exchange: Exchange, order: Order) -> None:
    order.order_id = exchange.ids.next(
        order.name_space, overlap=exchange.behaviour.order_id_ranges == "overlapping"
    )
    order.create_time_ns = order.update_time_ns = exchange.time_ns()
    order.active_from_ms = exchange.at_ms + exchange.behaviour.ack_delay_ms
    order.status = exchange.behaviour.untriggered_status if order.order_type in TRIGGERS else "ACTIVE"
    settlement.fix_hold_price(exchange, order)
    exchange.add_order(order)


def refuse_order(exchange: Exchange, order: Order, code: int) -> OrderIds:
    """A risk refusal: with a record and its ids, with nothing, or only later on the record (option)."""
    if exchange.behaviour.refusal_ids == "without_ids":
        raise Refusal(code)
    register(exchange, order)
    settlement.end_order(exchange, order, "REJECTED", code)
    if exchange.behaviour.refusal_ids == "with_ids":
        raise Refusal(code, result=response_ids(order))
    return response_ids(order)


def response_ids(order: Order) -> OrderIds:
    return {"client_oid": order.client_oid, "order_id": order.order_id}


# From parameters to an order


def build_order(
    exchange: Exchange,
    name_space: NameSpace,
    params: dict[str, Any],
    types: tuple[str, ...],
    default_client_oid: str,
) -> Order:
    """An order without ids. Raises Refusal with the code of the first error."""
    instrument = find_tradable(exchange, params)
    side = parameters.choice_param(params, "side", ("BUY", "SELL"), 220)
    kind = order_type(exchange, name_space, params, types)
    now_ns = exchange.at_ms * NS_PER_MS
    order = Order(
        name_space=name_space,
        order_id="",
        client_oid=parameters.client_oid(params) or default_client_oid,
        instrument_name=instrument.symbol,
        side=side,
        order_type=kind,
        quantity=ZERO,
        fee_instrument_name=fee_token(instrument, side, params),
        time_in_force=parameters.choice_param(
            params, "time_in_force", TIMES_IN_FORCE, 221, TIMES_IN_FORCE[0]
        ),
        exec_inst=parameters.names(params, "exec_inst", EXEC_INSTRUCTIONS, 219),
        create_time_ns=now_ns,
        update_time_ns=now_ns,
    )
    check_combination(exchange, order)
    check_margin(exchange, params)
    read_amounts(exchange, order, instrument, params)
    return order


def find_tradable(exchange: Exchange, params: dict[str, Any]) -> Instrument:
    instrument = exchange.instruments.get(str(params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    if not instrument.tradable:
        raise Refusal(208)
    if not instrument.is_spot:
        raise Refusal(412)
    return instrument


def order_type(
    exchange: Exchange, name_space: NameSpace, params: dict[str, Any], types: tuple[str, ...]
) -> str:
    """Trigger types moved to the advanced endpoints; what the old one answers is an option (dossier 8)."""
    kind = str(params.get("type") or "")
    if name_space == PLAIN and kind in TRIGGERS:
        raise Refusal(exchange.behaviour.old_endpoint_trigger)
    return parameters.choice_param(params, "type", types, 218)


def fee_token(instrument: Instrument, side: str, params: dict[str, Any]) -> str:
    token = parameters.text_param(params, "fee_instrument_name") or default_fee_token(instrument, side)
    if token not in allowed_fee_tokens(instrument, side):
        raise Refusal(215)
    return token


def check_combination(exchange: Exchange, order: Order) -> None:
    """POST_ONLY excludes MARKET and, by the specification, any time in force but the default (5.11.3)."""
    post = [each for each in order.exec_inst if each.endswith("POST_ONLY")]
    if len(post) > 1:
        raise Refusal(219)
    other_time = (
        order.time_in_force != TIMES_IN_FORCE[0] and exchange.behaviour.post_only_other_tif == "refused"
    )
    if post and (order.order_type == "MARKET" or other_time):
        raise Refusal(43005)


def check_margin(exchange: Exchange, params: dict[str, Any]) -> None:
    margin = params.get("spot_margin", "SPOT")
    if margin != "SPOT":
        raise Refusal(416 if margin == "MARGIN" else 50001)
    check_self_trade(exchange, params)


def check_self_trade(exchange: Exchange, params: dict[str, Any]) -> None:
    """stp_scope is M, S or perhaps D, and needs stp_inst (D30)."""
    scope = params.get("stp_scope")
    scopes = ("M", "S", "D") if exchange.behaviour.stp_scope_default == "accepted" else ("M", "S")
    if scope is not None and scope not in scopes:
        raise Refusal(40004, "Invalid stp_scope")
    if scope is not None and params.get("stp_inst") is None:
        raise Refusal(40004, "Missing stp_inst")


def read_amounts(exchange: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> None:
    advanced = order.name_space == ADVANCED
    if order.order_type in TYPES_WITH_LIMIT:
        code = exchange.behaviour.advanced_price_code if advanced else 308
        order.limit_price = instruments.check_on_tick(parameters.price(params, code=code), instrument, code)
    if order.order_type in TRIGGERS:
        order.ref_price = instruments.check_on_tick(parameters.ref_price(params), instrument, 229)
        order.ref_price_type = parameters.choice_param(
            params, "ref_price_type", REF_PRICE_TYPES, 230, exchange.behaviour.default_ref_price_type
        )
    read_quantity(exchange, order, instrument, params)


def read_quantity(exchange: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> None:
    """A market buy may give the amount to spend (notional) instead of the quantity (D10)."""
    quantity, notional = parameters.quantity(params), parameters.notional(params)
    by_notional = notional is not None and order.order_type == "MARKET" and order.side == "BUY"
    if quantity is not None and by_notional and exchange.behaviour.notional_and_quantity == "refused":
        raise Refusal(40004, "quantity and notional")
    if quantity is None and by_notional:
        order.notional = notional
        order.exec_inst = [*order.exec_inst, "NOTIONAL_ORDER"]
    else:
        order.quantity = instruments.check_on_lot(quantity, instrument)
    estimate_value(exchange, order, instrument)


def estimate_value(exchange: Exchange, order: Order, instrument: Instrument) -> None:
    """order_value, and the quantity of a notional order, at the collar price (dossier 5.11.6, 5.11.7)."""
    if order.notional is not None:
        order.order_value = order.notional
        order.quantity = instruments.quantity_for_value(
            order.notional, collar_price(exchange, order, instrument), instrument
        )
        return
    price = order.limit_price or order.ref_price or collar_price(exchange, order, instrument)
    order.order_value = normalized(price) * normalized(order.quantity)


def collar_price(exchange: Exchange, order: Order, instrument: Instrument) -> Decimal:
    """The worst price of a market order: best bid or ask 5 % away, rounded towards the market."""
    if order.side == "BUY":
        return instruments.round_down(
            exchange.prices.ask(instrument.symbol, exchange.at_ms) * Decimal("1.05"), instrument
        )
    return instruments.round_up(
        exchange.prices.bid(instrument.symbol, exchange.at_ms) * Decimal("0.95"), instrument
    )


# Order validation against the market, the account and other orders


def check_client_oid(exchange: Exchange, order: Order) -> None:
    """204: used before, for ever or by an open order, in the account or in the name space (options)."""
    stores = (
        exchange.stores.values()
        if exchange.behaviour.client_oid_scope == "account"
        else [exchange.stores[order.name_space]]
    )
    used = [each for store in stores for each in store.by_client_oid.get(order.client_oid, [])]
    if any(each.is_open or exchange.behaviour.client_oid_unique == "ever" for each in used):
        raise Refusal(204)


def check_open_order_limit(exchange: Exchange, order: Order) -> None:
    """318: 200 open orders per pair, 1000 over all (dossier 4)."""
    if order.name_space != PLAIN and exchange.behaviour.limits_count == "plain":
        return
    counted = [
        each
        for each in exchange.open_orders()
        if exchange.behaviour.limits_count == "all" or each.name_space == PLAIN
    ]
    same = sum(each.instrument_name == order.instrument_name for each in counted)
    if same >= MAX_OPEN_PER_PAIR or len(counted) >= MAX_OPEN_TOTAL:
        raise Refusal(318)


def check_trigger_side(exchange: Exchange, order: Order) -> None:
    """50007: the trigger price is already reached (dossier 5.20)."""
    if order.order_type not in TRIGGERS or exchange.behaviour.trigger_wrong_side == "fires":
        return
    last = exchange.prices.last(order.instrument_name, exchange.at_ms)
    mark = exchange.prices.mark(order.instrument_name, exchange.at_ms)
    ref, price = order.ref_price or ZERO, matching.reference_price(order, last, mark)
    if (ref >= price) if order.fires_below else (ref <= price):
        raise Refusal(50007)
    if exchange.behaviour.trigger_farthest == "twice_mark" and ref > 2 * price:
        raise Refusal(50007)


def refusal_code(exchange: Exchange, order: Order) -> int:
    """The code that refuses the order, or 0. These codes can come with ids (dossier 1.1)."""
    if is_below_minimum(exchange, order):
        return 415
    if is_too_large(exchange, order):
        return 314
    if is_outside_price_band(exchange, order):
        return 315
    return 306 if not has_funds(exchange, [order]) else 0


def is_below_minimum(exchange: Exchange, order: Order) -> bool:
    """Less than one US dollar at the effective price; cross pairs at the quote's own price (5.11.5)."""
    value = order.notional or order.quantity * effective_price(exchange, order)
    return value * exchange.usd(exchange.instruments[order.instrument_name].quote) < MIN_ORDER_USD


def is_too_large(exchange: Exchange, order: Order) -> bool:
    """No figures are published for 314 (11.12)."""
    maximum = exchange.behaviour.largest_order_usd
    value = order.notional or order.quantity * effective_price(exchange, order)
    return maximum > 0 and value * exchange.usd(exchange.instruments[order.instrument_name].quote) > maximum


def is_outside_price_band(exchange: Exchange, order: Order) -> bool:
    """Outside the price band around mark, or around the trigger of a trigger-limit order (5.11.6, 5.20)."""
    if order.limit_price is None or exchange.behaviour.price_band == "unchecked":
        return False
    if order.order_type in LIMIT_TRIGGERS:
        return exchange.behaviour.trigger_limit_band == "checked" and is_outside_band(
            exchange, order, order.ref_price or ZERO
        )
    return is_outside_band(exchange, order, exchange.prices.mark(order.instrument_name, exchange.at_ms))


def is_outside_band(exchange: Exchange, order: Order, centre: Decimal) -> bool:
    band, price = exchange.instruments[order.instrument_name].band, order.limit_price or ZERO
    if order.side == "BUY":
        return not centre * PASSIVE_MIN_RATIO <= price <= centre * (1 + band)
    return not centre * (1 - band) <= price <= centre * PASSIVE_MAX_RATIO


def effective_price(exchange: Exchange, order: Order) -> Decimal:
    symbol, limit = order.instrument_name, order.limit_price
    if order.order_type in TRIGGERS:
        return limit or order.ref_price or ZERO
    if order.side == "SELL":
        return limit or exchange.prices.bid(symbol, exchange.at_ms)
    ask = exchange.prices.ask(symbol, exchange.at_ms)
    return min(limit, ask) if limit else ask


def has_funds(exchange: Exchange, orders: list[Order]) -> bool:
    reservations_needed = settlement.max_per_currency(
        [settlement.required_funds(exchange, each) for each in orders if settlement.reserves(exchange, each)]
    )
    return all(
        need <= settlement.available(exchange, currency) for currency, need in reservations_needed.items()
    )
