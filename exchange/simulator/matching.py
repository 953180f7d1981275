"""How open orders meet the market: the passage of time, triggers, taking, resting, and the market order's collar."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from hashlib import blake2b
from heapq import merge
from typing import TYPE_CHECKING

from exchange.simulator import settlement
from exchange.simulator.instruments import ZERO, floor_to
from exchange.simulator.models import Order

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

PriceEvent = tuple[int, str, Decimal, Decimal]


def match_until(exchange: Exchange, to_ms: int) -> None:
    if to_ms > exchange.at_ms:
        orders = open_orders_by_symbol(exchange)
        for ms, symbol, last, mark in merge(*(_price_events(exchange, symbol, to_ms) for symbol in orders)):
            exchange.account_feed.flush(exchange)
            exchange.at_ms = ms
            match_orders(exchange, orders[symbol], last, mark)
        exchange.account_feed.flush(exchange)
        exchange.at_ms = to_ms


def match_now(exchange: Exchange) -> None:
    for symbol, orders in open_orders_by_symbol(exchange).items():
        match_orders(
            exchange,
            orders,
            exchange.prices.last(symbol, exchange.at_ms),
            exchange.prices.mark(symbol, exchange.at_ms),
        )


def match_order_now(exchange: Exchange, order: Order) -> None:
    symbol = order.instrument_name
    match_order(
        exchange,
        order,
        exchange.prices.last(symbol, exchange.at_ms),
        exchange.prices.mark(symbol, exchange.at_ms),
    )


def match_orders(exchange: Exchange, orders: list[Order], last: Decimal, mark: Decimal) -> None:
    settlement.end_races(exchange)
    for order in orders:
        if order.is_open:
            match_order(exchange, order, last, mark)


def match_order(exchange: Exchange, order: Order, last: Decimal, mark: Decimal) -> None:
    """One order at one moment: due cancel, waiting for acknowledgement or trigger, entering, or resting."""
    if order.cancel_at_ms is not None and order.cancel_at_ms <= exchange.at_ms:
        settlement.end_order(exchange, order, "CANCELED")
    elif order.active_from_ms > exchange.at_ms or order.waits_for:
        return
    elif order.waits_for_trigger:
        check_trigger(exchange, order, last, mark)
    elif not order.entered:
        execute_new(exchange, order)
    elif order.limit_price is not None and crosses(order, last, order.limit_price):
        execute(exchange, order, resting_fill_quantity(exchange, order), order.limit_price, taker=False)


def _price_events(exchange: Exchange, symbol: str, to_ms: int) -> Iterator[PriceEvent]:
    for ms, last, mark in exchange.prices.path(symbol, exchange.at_ms, to_ms):
        yield ms, symbol, last, mark


def open_orders_by_symbol(exchange: Exchange) -> dict[str, list[Order]]:
    orders: dict[str, list[Order]] = {}
    for order in exchange.open_orders():
        orders.setdefault(order.instrument_name, []).append(order)
    return orders


# Triggers (dossier 5.20, 6.2)


def check_trigger(exchange: Exchange, order: Order, last: Decimal, mark: Decimal) -> None:
    """Trigger the order if the reference price has reached it; without funds it ends (dossier 11.4)."""
    if not is_check_due(exchange, order) or not is_triggered(
        exchange, order, reference_price(order, last, mark)
    ):
        return
    order.triggered, order.status = True, "ACTIVE"
    order.update_time_ns = exchange.time_ns()
    exchange.order_changed(order)
    if settlement.can_afford(exchange, order):
        execute_new(exchange, order)
    else:
        settlement.end_order(
            exchange,
            order,
            exchange.behaviour.trigger_without_funds,
            exchange.behaviour.trigger_without_funds_reason,
        )


def is_check_due(exchange: Exchange, order: Order) -> bool:
    """Whether triggers are checked at this moment: always, or once per trigger_every_ms (11.17)."""
    every = exchange.behaviour.trigger_every_ms
    if every and order.looked_at_ms // every == exchange.at_ms // every:
        return False
    order.looked_at_ms = exchange.at_ms
    return True


def is_triggered(exchange: Exchange, order: Order, price: Decimal) -> bool:
    ref = order.ref_price or Decimal(0)
    if price == ref:
        return exchange.behaviour.trigger_on == "touch"
    return price < ref if order.fires_below else price > ref


def reference_price(order: Order, last: Decimal, mark: Decimal) -> Decimal:
    """The price that triggers; the index price is taken to be the mark price."""
    return last if order.ref_price_type == "LAST_PRICE" else mark


# Executing


def execute_new(exchange: Exchange, order: Order) -> None:
    """The order reaches the book: a MARKET executes, a LIMIT takes what it can and rests or ends."""
    settlement.enter_book(exchange, order)
    if order.live_type == "MARKET":
        execute_market(exchange, order)
    else:
        execute_limit(exchange, order)


def execute_limit(exchange: Exchange, order: Order) -> None:
    """POST_ONLY never takes, FILL_OR_KILL takes all or nothing, IMMEDIATE_OR_CANCEL does not rest (5.11.3)."""
    price = taker_price(exchange, order)
    limit = order.limit_price or ZERO
    takes = crosses(order, price, limit)
    if takes and "POST_ONLY" in order.exec_inst:
        settlement.end_order(exchange, order, exchange.behaviour.post_only_end, 43005)
    elif takes and "SMART_POST_ONLY" in order.exec_inst:
        order.limit_price = maker_price(exchange, order)
    elif order.time_in_force == "FILL_OR_KILL" and not (
        takes and available_depth(exchange, order) == order.remaining
    ):
        settlement.end_order(exchange, order, exchange.behaviour.fok_end, 43003)
    elif takes:
        execute(exchange, order, available_depth(exchange, order), price, taker=True)
    if order.is_open and order.time_in_force == "IMMEDIATE_OR_CANCEL":
        end_ioc(exchange, order)


def end_ioc(exchange: Exchange, order: Order) -> None:
    """A remainder is CANCELED; how an order without any fill ends is an option (dossier 6.1, 11.9)."""
    if order.cumulative_quantity:
        settlement.end_order(exchange, order, "CANCELED")
    else:
        settlement.end_order(exchange, order, exchange.behaviour.ioc_end, 43004)


def execute_market(exchange: Exchange, order: Order) -> None:
    """Fills at the best price within the collar; a remainder is CANCELED with reason 0 (5.11.6, 5.11.7)."""
    price = taker_price(exchange, order)
    if inside_collar(exchange, order, price):
        quantity = (
            available_depth(exchange, order)
            if order.notional is None
            else lots_for_notional(exchange, order, price)
        )
        execute(exchange, order, quantity, price, taker=True)
    if order.is_open:
        spent = order.notional is not None and order.cumulative_value == order.notional
        settlement.end_order(exchange, order, "FILLED" if spent else "CANCELED")


def execute(exchange: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool) -> None:
    """Fill if the account can pay; else the order ends with 306."""
    if quantity <= 0:
        return
    if can_pay(exchange, order, quantity, price):
        settlement.fill(exchange, order, quantity, price, taker=taker)
    else:
        settlement.end_order(exchange, order, "CANCELED", 306)


def can_pay(exchange: Exchange, order: Order, quantity: Decimal, price: Decimal) -> bool:
    instrument = exchange.instruments[order.instrument_name]
    if order.side == "SELL":
        return quantity <= settlement.available(exchange, instrument.base, excluding=order)
    return quantity * price <= settlement.available(exchange, instrument.quote, excluding=order)


# Price and depth


def crosses(order: Order, price: Decimal, limit: Decimal) -> bool:
    return price <= limit if order.side == "BUY" else price >= limit


def taker_price(exchange: Exchange, order: Order) -> Decimal:
    side = exchange.prices.ask if order.side == "BUY" else exchange.prices.bid
    return side(order.instrument_name, exchange.at_ms)


def maker_price(exchange: Exchange, order: Order) -> Decimal:
    """The best price that does not take (SMART_POST_ONLY)."""
    tick = exchange.instruments[order.instrument_name].price_tick
    return taker_price(exchange, order) - tick if order.side == "BUY" else taker_price(exchange, order) + tick


def inside_collar(exchange: Exchange, order: Order, price: Decimal) -> bool:
    """A collar around mark can exclude the best price; one around the best price never does (D23)."""
    if exchange.behaviour.collar == "best":
        return True
    mark, band = (
        exchange.prices.mark(order.instrument_name, exchange.at_ms),
        exchange.instruments[order.instrument_name].band,
    )
    return price <= mark * (1 + band) if order.side == "BUY" else price >= mark * (1 - band)


def available_depth(exchange: Exchange, order: Order) -> Decimal:
    """The quantity on offer within the collar: unlimited unless the control `liquidity` limits it."""
    return min(order.remaining, exchange.liquidity.get(order.instrument_name, order.remaining))


def lots_for_notional(exchange: Exchange, order: Order, price: Decimal) -> Decimal:
    """The lots that the quote amount buys; may exceed the order's estimated quantity (5.11.7)."""
    left = (order.notional or ZERO) - order.cumulative_value
    lots = floor_to(left / price, exchange.instruments[order.instrument_name].lot)
    return min(lots, exchange.liquidity.get(order.instrument_name, lots))


def resting_fill_quantity(exchange: Exchange, order: Order) -> Decimal:
    """The quantity that a resting order fills now: all, or a share drawn from its id (option partial_fills)."""
    if order.fills + 1 >= exchange.behaviour.partial_fills:
        return order.remaining
    drawn = blake2b(f"{order.order_id}/{order.fills}".encode(), digest_size=1).digest()[0]
    share = order.remaining * (51 + drawn * 3 // 5) / 256
    return floor_to(share, exchange.instruments[order.instrument_name].lot) or order.remaining
