"""How open orders meet the market: walking through time, taking, resting, market orders and their collar.

When an untriggered order fires, and what becomes of it then (dossier 5.20, 6.2).
"""

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


Moment = tuple[int, str, Decimal, Decimal]


def walk(x: Exchange, to_ms: int) -> None:
    """All instruments with open orders, merged in order of time; the others cost nothing."""
    if to_ms > x.at_ms:
        orders = by_symbol(x)
        for ms, symbol, last, mark in merge(*(_path(x, symbol, to_ms) for symbol in orders)):
            x.at_ms = ms
            visit_each(x, orders[symbol], last, mark)
        x.at_ms = to_ms


def _path(x: Exchange, symbol: str, to_ms: int) -> Iterator[Moment]:
    for ms, last, mark in x.prices.path(symbol, x.at_ms, to_ms):
        yield ms, symbol, last, mark


def by_symbol(x: Exchange) -> dict[str, list[Order]]:
    orders: dict[str, list[Order]] = {}
    for order in x.open_orders():
        orders.setdefault(order.instrument_name, []).append(order)
    return orders


def settle(x: Exchange) -> None:
    for symbol, orders in by_symbol(x).items():
        visit_each(x, orders, x.prices.last(symbol, x.at_ms), x.prices.mark(symbol, x.at_ms))


def visit_each(x: Exchange, orders: list[Order], last: Decimal, mark: Decimal) -> None:
    settlement.end_races(x)
    for order in orders:
        if order.is_open:
            visit(x, order, last, mark)


def visit_now(x: Exchange, order: Order) -> None:
    """A fresh or changed order meets the market of this moment."""
    symbol = order.instrument_name
    visit(x, order, x.prices.last(symbol, x.at_ms), x.prices.mark(symbol, x.at_ms))


def visit(x: Exchange, order: Order, last: Decimal, mark: Decimal) -> None:
    """One order at one moment: due cancel, waiting for acknowledgement or trigger, entering, or resting."""
    if order.cancel_at_ms is not None and order.cancel_at_ms <= x.at_ms:
        settlement.end(x, order, "CANCELED")
    elif order.active_from_ms > x.at_ms:
        return
    elif order.waits_for_trigger:
        consider(x, order, last, mark)
    elif not order.entered:
        enter(x, order)
    elif order.limit_price is not None and crosses(order, last, order.limit_price):
        execute(x, order, part(x, order), order.limit_price, taker=False)


def crosses(order: Order, price: Decimal, limit: Decimal) -> bool:
    return price <= limit if order.side == "BUY" else price >= limit


def enter(x: Exchange, order: Order) -> None:
    """The order reaches the engine: a MARKET executes, a LIMIT takes what it can and rests or ends."""
    settlement.go_live(x, order)
    if order.live_type == "MARKET":
        execute_market(x, order)
    else:
        enter_limit(x, order)


def enter_limit(x: Exchange, order: Order) -> None:
    """Post-only refuses to take, fill-or-kill wants all, immediate-or-cancel leaves nothing (5.11.3)."""
    price = best(x, order)
    limit = order.limit_price or ZERO
    takes = crosses(order, price, limit)
    if takes and "POST_ONLY" in order.exec_inst:
        settlement.end(x, order, x.quirks.post_only_end, 43005)
    elif takes and "SMART_POST_ONLY" in order.exec_inst:
        order.limit_price = maker_price(x, order)
    elif order.time_in_force == "FILL_OR_KILL" and not (takes and within_depth(x, order) == order.remaining):
        settlement.end(x, order, x.quirks.fok_end, 43003)
    elif takes:
        execute(x, order, within_depth(x, order), price, taker=True)
    if order.is_open and order.time_in_force == "IMMEDIATE_OR_CANCEL":
        end_immediate(x, order)


def end_immediate(x: Exchange, order: Order) -> None:
    """A remainder is CANCELED; how an order without any fill ends is a quirk (dossier 6.1, 11.9)."""
    if order.cumulative_quantity:
        settlement.end(x, order, "CANCELED")
    else:
        settlement.end(x, order, x.quirks.ioc_end, 43004)


def execute_market(x: Exchange, order: Order) -> None:
    """Fills at the best price up to the collar; what is left is CANCELED with reason 0 (5.11.6, 5.11.7)."""
    price = best(x, order)
    if inside_collar(x, order, price):
        quantity = within_depth(x, order) if order.notional is None else for_notional(x, order, price)
        execute(x, order, quantity, price, taker=True)
    if order.is_open:
        spent = order.notional is not None and order.cumulative_value == order.notional
        settlement.end(x, order, "FILLED" if spent else "CANCELED")


def execute(x: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool) -> None:
    """Fill if the account can pay for it; else the order ends for want of funds (306)."""
    if quantity <= 0:
        return
    if payable(x, order, quantity, price):
        settlement.fill(x, order, quantity, price, taker=taker)
    else:
        settlement.end(x, order, "CANCELED", 306)


def payable(x: Exchange, order: Order, quantity: Decimal, price: Decimal) -> bool:
    instrument = x.instruments[order.instrument_name]
    if order.side == "SELL":
        return quantity <= settlement.available(x, instrument.base, but=order)
    return quantity * price <= settlement.available(x, instrument.quote, but=order)


def best(x: Exchange, order: Order) -> Decimal:
    """The price a taker gets now."""
    side = x.prices.ask if order.side == "BUY" else x.prices.bid
    return side(order.instrument_name, x.at_ms)


def maker_price(x: Exchange, order: Order) -> Decimal:
    """The best price that does not take (SMART_POST_ONLY)."""
    tick = x.instruments[order.instrument_name].price_tick
    return best(x, order) - tick if order.side == "BUY" else best(x, order) + tick


def inside_collar(x: Exchange, order: Order, price: Decimal) -> bool:
    """Only a collar around mark can keep the best price out; one around the best price never does (D23)."""
    if x.quirks.collar == "best":
        return True
    mark, band = x.prices.mark(order.instrument_name, x.at_ms), x.instruments[order.instrument_name].band
    return price <= mark * (1 + band) if order.side == "BUY" else price >= mark * (1 - band)


def within_depth(x: Exchange, order: Order) -> Decimal:
    """How much the market has within the collar: everything, unless a control request made it thin."""
    return min(order.remaining, x.liquidity.get(order.instrument_name, order.remaining))


def for_notional(x: Exchange, order: Order, price: Decimal) -> Decimal:
    """The lots that the quote amount buys; may exceed the order's estimated quantity (5.11.7)."""
    left = (order.notional or ZERO) - order.cumulative_value
    lots = floor_to(left / price, x.instruments[order.instrument_name].lot)
    return min(lots, x.liquidity.get(order.instrument_name, lots))


def part(x: Exchange, order: Order) -> Decimal:
    """What a resting order fills now: all, or a share drawn from its id, in at most `partial_fills` parts."""
    if order.fills + 1 >= x.quirks.partial_fills:
        return order.remaining
    drawn = blake2b(f"{order.order_id}/{order.fills}".encode(), digest_size=1).digest()[0]
    share = order.remaining * (51 + drawn * 3 // 5) / 256
    return floor_to(share, x.instruments[order.instrument_name].lot) or order.remaining


def reference(order: Order, last: Decimal, mark: Decimal) -> Decimal:
    """The price that counts; an index is taken to be the mark price."""
    return last if order.ref_price_type == "LAST_PRICE" else mark


def fires(x: Exchange, order: Order, price: Decimal) -> bool:
    ref = order.ref_price or Decimal(0)
    if price == ref:
        return x.quirks.trigger_on == "touch"
    return price < ref if order.fires_below else price > ref


def due(x: Exchange, order: Order) -> bool:
    """Whether the engine looks at this moment: always, or once in so many ms (11.17)."""
    every = x.quirks.trigger_every_ms
    if every and order.looked_at_ms // every == x.at_ms // every:
        return False
    order.looked_at_ms = x.at_ms
    return True


def consider(x: Exchange, order: Order, last: Decimal, mark: Decimal) -> None:
    """Fire if the reference price has reached the trigger; without funds the order ends (dossier 11.4)."""
    if not due(x, order) or not fires(x, order, reference(order, last, mark)):
        return
    order.triggered, order.status = True, "ACTIVE"
    order.update_time_ns = x.time_ns()
    x.revision += 1
    if settlement.affordable(x, order):
        enter(x, order)
    else:
        settlement.end(x, order, x.quirks.trigger_without_funds, x.quirks.trigger_without_funds_reason)
