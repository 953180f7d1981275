"""From the parameters of a create request (or a list leg) to an order that is well formed but not yet accepted.

Checks that need the market, the account or other orders: what well-formed orders are refused for.

Accepting a new order: ids, the answer, and its first meeting with the market.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import instruments, matching, requests, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import ZERO, Instrument, normal
from exchange.simulator.models import (
    ADVANCED,
    LIMIT_TRIGGERS,
    PLAIN,
    TRIGGERS,
    NameSpace,
    Order,
    allowed_tokens,
    default_token,
)
from exchange.simulator.requests import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


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
    side = requests.one_of(params, "side", ("BUY", "SELL"), 220)
    kind = order_type(x, name_space, params, types)
    moment = x.at_ms * 1_000_000
    order = Order(
        name_space=name_space,
        order_id="",
        client_oid=requests.client_oid(params) or reference,
        instrument_name=instrument.symbol,
        side=side,
        order_type=kind,
        quantity=ZERO,
        fee_instrument_name=fee_token(instrument, side, params),
        time_in_force=requests.one_of(params, "time_in_force", TIMES, 221, TIMES[0]),
        exec_inst=requests.names(params, "exec_inst", EXECS, 219),
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
    return requests.one_of(params, "type", types, 218)


def fee_token(instrument: Instrument, side: str, params: dict[str, Any]) -> str:
    token = requests.text(params, "fee_instrument_name") or default_token(instrument, side)
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
        order.limit_price = instruments.on_tick(requests.price(params, code=code), instrument, code)
    if order.order_type in TRIGGERS:
        order.ref_price = instruments.on_tick(requests.ref_price(params), instrument, 229)
        order.ref_price_type = requests.one_of(
            params, "ref_price_type", REFERENCES, 230, x.quirks.default_ref_price_type
        )
    read_quantity(x, order, instrument, params)


def read_quantity(x: Exchange, order: Order, instrument: Instrument, params: dict[str, Any]) -> None:
    """A market buy may say how much to spend instead of how much to get (D10)."""
    quantity, notional = requests.quantity(params), requests.notional(params)
    by_notional = notional is not None and order.order_type == "MARKET" and order.side == "BUY"
    if quantity is not None and by_notional and x.quirks.notional_and_quantity == "refused":
        raise Refusal(40004, "quantity and notional")
    if quantity is None and by_notional:
        order.notional = notional
        order.exec_inst = [*order.exec_inst, "NOTIONAL_ORDER"]
    else:
        order.quantity = instruments.on_lot(quantity, instrument)
    estimate(x, order, instrument)


def estimate(x: Exchange, order: Order, instrument: Instrument) -> None:
    """order_value, and the quantity of a notional order, at the collar price (dossier 5.11.6, 5.11.7)."""
    if order.notional is not None:
        order.order_value = order.notional
        order.quantity = instruments.lots_for(order.notional, collar_price(x, order, instrument), instrument)
        return
    price = order.limit_price or order.ref_price or collar_price(x, order, instrument)
    order.order_value = normal(price) * normal(order.quantity)


def collar_price(x: Exchange, order: Order, instrument: Instrument) -> Decimal:
    """The worst price of a market order: best bid or ask 5 % away, rounded towards the market."""
    if order.side == "BUY":
        return instruments.down(x.prices.ask(instrument.symbol, x.at_ms) * Decimal("1.05"), instrument)
    return instruments.up(x.prices.bid(instrument.symbol, x.at_ms) * Decimal("0.95"), instrument)


PER_PAIR, IN_TOTAL = 200, 1000
LEAST_USD = Decimal(1)
PASSIVE_LOW, PASSIVE_HIGH = Decimal("0.1"), Decimal(10)


def check_client_oid(x: Exchange, order: Order) -> None:
    """204: used before, for ever or by an open order, in the account or in the name space (quirks)."""
    stores = x.stores.values() if x.quirks.client_oid_scope == "account" else [x.stores[order.name_space]]
    used = [each for store in stores for each in store.by_client_oid.get(order.client_oid, [])]
    if any(each.is_open or x.quirks.client_oid_unique == "ever" for each in used):
        raise Refusal(204)


def check_room(x: Exchange, order: Order) -> None:
    """318: 200 open orders per pair, 1000 over all (dossier 4)."""
    if order.name_space != PLAIN and x.quirks.limits_count == "plain":
        return
    counted = [each for each in x.open_orders() if x.quirks.limits_count == "all" or each.name_space == PLAIN]
    same = sum(each.instrument_name == order.instrument_name for each in counted)
    if same >= PER_PAIR or len(counted) >= IN_TOTAL:
        raise Refusal(318)


def check_trigger_side(x: Exchange, order: Order) -> None:
    """50007: the trigger price is already reached (dossier 5.20)."""
    if order.order_type not in TRIGGERS or x.quirks.trigger_wrong_side == "fires":
        return
    ref, price = order.ref_price or ZERO, reference_now(x, order)
    if (ref >= price) if order.fires_below else (ref <= price):
        raise Refusal(50007)
    if x.quirks.trigger_farthest == "twice_mark" and ref > 2 * price:
        raise Refusal(50007)


def reference_now(x: Exchange, order: Order) -> Decimal:
    source = x.prices.last if order.ref_price_type == "LAST_PRICE" else x.prices.mark
    return source(order.instrument_name, x.at_ms)


def problem(x: Exchange, order: Order) -> int:
    """The code a risk check refuses the order with; 0 when it may go. These can come with ids (dossier 1.1)."""
    if below_minimum(x, order):
        return 415
    if too_large(x, order):
        return 314
    if far_away(x, order):
        return 315
    return 306 if not covered(x, [order]) else 0


def below_minimum(x: Exchange, order: Order) -> bool:
    """Less than one US dollar at the effective price; cross pairs at the quote's own price (5.11.5)."""
    value = order.notional or order.quantity * effective_price(x, order)
    return value * x.usd(x.instruments[order.instrument_name].quote) < LEAST_USD


def too_large(x: Exchange, order: Order) -> bool:
    """No figures are published for 314 (11.12)."""
    most = x.quirks.largest_order_usd
    value = order.notional or order.quantity * effective_price(x, order)
    return most > 0 and value * x.usd(x.instruments[order.instrument_name].quote) > most


def effective_price(x: Exchange, order: Order) -> Decimal:
    symbol, limit = order.instrument_name, order.limit_price
    if order.order_type in TRIGGERS:
        return limit or order.ref_price or ZERO
    if order.side == "SELL":
        return limit or x.prices.bid(symbol, x.at_ms)
    ask = x.prices.ask(symbol, x.at_ms)
    return min(limit, ask) if limit else ask


def far_away(x: Exchange, order: Order) -> bool:
    """Outside the price band around mark, or around the trigger of a trigger-limit order (5.11.6, 5.20)."""
    if order.limit_price is None or x.quirks.price_band == "unchecked":
        return False
    if order.order_type in LIMIT_TRIGGERS:
        return x.quirks.trigger_limit_band == "checked" and outside(x, order, order.ref_price or ZERO)
    return outside(x, order, x.prices.mark(order.instrument_name, x.at_ms))


def outside(x: Exchange, order: Order, centre: Decimal) -> bool:
    band, price = x.instruments[order.instrument_name].band, order.limit_price or ZERO
    if order.side == "BUY":
        return not centre * PASSIVE_LOW <= price <= centre * (1 + band)
    return not centre * (1 - band) <= price <= centre * PASSIVE_HIGH


def covered(x: Exchange, orders: list[Order]) -> bool:
    """Whether the account can lock what these (linked) orders would lock together."""
    wanted = settlement.together([settlement.needed(x, each) for each in orders if settlement.locks(x, each)])
    return all(need <= settlement.available(x, currency) for currency, need in wanted.items())


Ids = dict[str, str]


def place(x: Exchange, order: Order) -> Ids:
    """Check, book and expose one order. The answer only says that it was received (dossier 5)."""
    check_client_oid(x, order)
    check_room(x, order)
    check_trigger_side(x, order)
    code = problem(x, order)
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
    settlement.hold(x, order)
    x.add_order(order)


def refuse(x: Exchange, order: Order, code: int) -> Ids:
    """A risk refusal: with a record and its ids, with nothing, or only later on the record (quirk)."""
    if x.quirks.refusal_ids == "without_ids":
        raise Refusal(code)
    book(x, order)
    settlement.end(x, order, "REJECTED", code)
    if x.quirks.refusal_ids == "with_ids":
        raise Refusal(code, result=ids_of(order))
    return ids_of(order)


def ids_of(order: Order) -> Ids:
    return {"client_oid": order.client_oid, "order_id": order.order_id}


def create_plain(x: Exchange, call: Call) -> Ids:
    return place(x, draft(x, PLAIN, call.params, ("LIMIT", "MARKET"), call.reference))


def create_trigger(x: Exchange, call: Call) -> Ids:
    return place(x, draft(x, "advanced", call.params, TRIGGERS, call.reference))
