"""Linked pairs: one leg executes, the other is cancelled; one leg is cancelled, so is the other (dossier 6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import booking
from exchange.simulator.records import Order, OrderList

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

RACE_MS = 500


def siblings(x: Exchange, order: Order) -> list[Order]:
    """The other open legs of the order's list."""
    if not order.list_id:
        return []
    legs = (x.stores["advanced"].by_id[each] for each in x.lists[order.list_id].order_ids)
    return [leg for leg in legs if leg is not order and leg.is_open]


def leg_executed(x: Exchange, order: Order) -> None:
    """A part or the whole of a leg executed: its sibling goes, at once or after a short race."""
    if not order.list_id:
        return
    linked = x.lists[order.list_id]
    if not linked.winner:
        linked.winner, linked.siblings_end_at_ms = order.order_id, x.at_ms + RACE_MS
    if x.quirks.oco_race == "none":
        kill(x, siblings(x, order))
    if x.quirks.oco_remainder == "canceled" and order.is_open and order.remaining:
        booking.end(x, order, "CANCELED", x.quirks.oco_sibling_reason)


def leg_ended(x: Exchange, order: Order) -> None:
    """A leg ended without executing: by the product news its sibling ends as well (dossier 5.23)."""
    if order.list_id and not order.cumulative_quantity and x.quirks.oco_leg_cancel == "both":
        kill(x, [leg for leg in siblings(x, order) if not leg.cumulative_quantity])


def end_races(x: Exchange) -> None:
    """Siblings whose time to race is over are cancelled now; the winner works on."""
    if x.quirks.oco_race == "none":
        return
    for each in x.lists.values():
        if each.siblings_end_at_ms is not None and each.siblings_end_at_ms <= x.at_ms:
            each.siblings_end_at_ms = None
            kill(x, [leg for leg in open_legs(x, each) if leg.order_id != each.winner])


def open_legs(x: Exchange, linked: OrderList) -> list[Order]:
    legs = (x.stores["advanced"].by_id[each] for each in linked.order_ids)
    return [leg for leg in legs if leg.is_open]


def kill(x: Exchange, legs: list[Order]) -> None:
    for leg in legs:
        if leg.is_open:
            booking.end(x, leg, "CANCELED", x.quirks.oco_sibling_reason, alone=True)
