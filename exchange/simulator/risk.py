"""Checks that need the market, the account or other orders: what well-formed orders are refused for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import reservations
from exchange.simulator.codes import Refusal
from exchange.simulator.decimals import ZERO
from exchange.simulator.records import LIMIT_TRIGGERS, PLAIN, TRIGGERS, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

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
    wanted = reservations.together(
        [reservations.needed(x, each) for each in orders if reservations.locks(x, each)]
    )
    return all(need <= reservations.available(x, currency) for currency, need in wanted.items())
