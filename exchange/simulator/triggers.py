"""When an untriggered order fires, and what becomes of it then (dossier 5.20, 6.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import booking, matching, reservations
from exchange.simulator.records import Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


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
    if reservations.affordable(x, order):
        matching.enter(x, order)
    else:
        booking.end(x, order, x.quirks.trigger_without_funds, x.quirks.trigger_without_funds_reason)
