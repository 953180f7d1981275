"""From the parameters of a create request (or a list leg) to an order that is well formed but not yet accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import calls, grid
from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import ZERO, normal
from exchange.simulator.fees import allowed_tokens, default_token
from exchange.simulator.instruments import Instrument
from exchange.simulator.records import ADVANCED, LIMIT_TRIGGERS, PLAIN, TRIGGERS, NameSpace, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

TIMES = ("GOOD_TILL_CANCEL", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL")
EXECS = ("POST_ONLY", "SMART_POST_ONLY", "REDUCE_ONLY", "ISOLATED_MARGIN", "MARGIN_ORDER")
REFERENCES = ("MARK_PRICE", "INDEX_PRICE", "LAST_PRICE")
PRICED = ("LIMIT", *LIMIT_TRIGGERS)


def instrument_named(x: Exchange, params: dict[str, Any]) -> Instrument:
    instrument = x.instruments.get(str(params.get("instrument_name")))
    if instrument is None:
        raise Refusal(209)
    if not instrument.tradable:
        raise Refusal(208)
    if not instrument.is_spot:
        raise Refusal(412)
    return instrument


def draft(
    x: Exchange, name_space: NameSpace, params: dict[str, Any], types: tuple[str, ...], reference: str
) -> Order:
    """An order without ids. Raises Refusal with the code of the first thing that is wrong."""
    instrument = instrument_named(x, params)
    side = calls.one_of(params, "side", ("BUY", "SELL"), 220)
    kind = order_type(x, name_space, params, types)
    moment = x.at_ms * 1_000_000
    order = Order(
        name_space=name_space,
        order_id="",
        client_oid=calls.client_oid(params) or reference,
        instrument_name=instrument.symbol,
        side=side,
        order_type=kind,
        quantity=ZERO,
        fee_instrument_name=fee_token(instrument, side, params),
        time_in_force=calls.one_of(params, "time_in_force", TIMES, 221, TIMES[0]),
        exec_inst=calls.names(params, "exec_inst", EXECS, 219),
        create_time_ns=moment,
        update_time_ns=moment,
    )
    check_combination(x, order)
    check_margin(x, params)
    read_amounts(x, order, instrument, params)
    return order


def order_type(x: Exchange, name_space: NameSpace, params: dict[str, Any], types: tuple[str, ...]) -> str:
    """Trigger types moved to the advanced endpoints; what the old one answers is a quirk (dossier 8)."""
    kind = str(params.get("type") or "")
    if name_space == PLAIN and kind in TRIGGERS:
        raise Refusal(x.quirks.old_endpoint_trigger)
    return calls.one_of(params, "type", types, 218)


def fee_token(instrument: Instrument, side: str, params: dict[str, Any]) -> str:
    token = calls.text(params, "fee_instrument_name") or default_token(instrument, side)
    if token not in allowed_tokens(instrument, side):
        raise Refusal(215)
    return token


def check_combination(x: Exchange, order: Order) -> None:
    """POST_ONLY excludes MARKET and, by the specification, any time in force but the default (5.11.3)."""
    post = [each for each in order.exec_inst if each.endswith("POST_ONLY")]
    if len(post) > 1:
        raise Refusal(219)
    other_time = order.time_in_force != TIMES[0] and x.quirks.post_only_other_tif == "refused"
    if post and (order.order_type == "MARKET" or other_time):
        raise Refusal(43005)


def check_margin(x: Exchange, params: dict[str, Any]) -> None:
    margin = params.get("spot_margin", "SPOT")
    if margin != "SPOT":
        raise Refusal(416 if margin == "MARGIN" else 50001)
    check_self_trade(x, params)


def check_self_trade(x: Exchange, params: dict[str, Any]) -> None:
    """stp_scope is M, S or perhaps D, and needs stp_inst (D30)."""
    scope = params.get("stp_scope")
    scopes = ("M", "S", "D") if x.quirks.stp_scope_default == "accepted" else ("M", "S")
    if scope is not None and scope not in scopes:
        raise Refusal(40004, "Invalid stp_scope")
    if scope is not None and params.get("stp_inst") is None:
        raise Refusal(40004, "Missing stp_inst")


def read_amounts(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> None:
    advanced = order.name_space == ADVANCED
    if order.order_type in PRICED:
        code = x.quirks.advanced_price_code if advanced else 308
        order.limit_price = grid.on_tick(calls.price(params, code=code), instrument, code)
    if order.order_type in TRIGGERS:
        order.ref_price = grid.on_tick(calls.ref_price(params), instrument, 229)
        order.ref_price_type = calls.one_of(
            params, "ref_price_type", REFERENCES, 230, x.quirks.default_ref_price_type
        )
    read_quantity(x, order, instrument, params)


def read_quantity(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> None:
    """A market buy may say how much to spend instead of how much to get (D10)."""
    quantity, notional = calls.quantity(params), calls.notional(params)
    by_notional = notional is not None and order.order_type == "MARKET" and order.side == "BUY"
    if quantity is not None and by_notional and x.quirks.notional_and_quantity == "refused":
        raise Refusal(40004, "quantity and notional")
    if quantity is None and by_notional:
        order.notional = notional
        order.exec_inst = [*order.exec_inst, "NOTIONAL_ORDER"]
    else:
        order.quantity = grid.on_lot(quantity, instrument)
    estimate(x, order, instrument)


def estimate(x: Exchange, order: Order, instrument: Instrument) -> None:
    """order_value, and the quantity of a notional order, at the collar price (dossier 5.11.6, 5.11.7)."""
    if order.notional is not None:
        order.order_value = order.notional
        order.quantity = grid.lots_for(order.notional, collar_price(x, order, instrument), instrument)
        return
    price = order.limit_price or order.ref_price or collar_price(x, order, instrument)
    order.order_value = normal(price) * normal(order.quantity)


def collar_price(x: Exchange, order: Order, instrument: Instrument) -> Decimal:
    """The worst price of a market order: best bid or ask 5 % away, rounded towards the market."""
    if order.side == "BUY":
        return grid.down(x.prices.ask(instrument.symbol, x.at_ms) * Decimal("1.05"), instrument)
    return grid.up(x.prices.bid(instrument.symbol, x.at_ms) * Decimal("0.95"), instrument)
