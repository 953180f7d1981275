"""What open orders lock: price times quantity without fee for a buy, the quantity for a sell (dossier 5.6)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.decimals import ZERO
from exchange.simulator.records import MARKET_TRIGGERS, TRIGGERS, Order

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

Amounts = dict[str, Decimal]


def needed(x: Exchange, order: Order) -> tuple[str, Decimal]:
    """(currency, amount) that the rest of the order can use up."""
    instrument = x.instruments[order.instrument_name]
    if order.side == "SELL":
        return instrument.base, order.remaining
    if order.notional is not None:
        return instrument.quote, order.notional - order.cumulative_value
    return instrument.quote, order.remaining * _price(x, order)


def _price(x: Exchange, order: Order) -> Decimal:
    if order.order_type == "MARKET" or (order.triggered and order.order_type in MARKET_TRIGGERS):
        return order.hold_price or x.prices.ask(order.instrument_name, x.at_ms)
    return order.limit_price or order.ref_price or ZERO


def locks(x: Exchange, order: Order) -> bool:
    """Whether the order locks anything now; untriggered ones do as the quirks say (dossier D19, 11.4)."""
    if order.list_id and x.lists[order.list_id].winner not in ("", order.order_id):
        return False
    if order.order_type not in TRIGGERS or order.triggered:
        return True
    if order.contingency_type == "OCO":
        return x.quirks.oco_reserves == "at_placement"
    return x.quirks.trigger_reserves == "at_placement"


def together(amounts: list[tuple[str, Decimal]]) -> Amounts:
    """What linked orders lock: they share it, so the largest of each currency."""
    most: Amounts = {}
    for currency, amount in amounts:
        most[currency] = max(amount, most.get(currency, ZERO))
    return most


def reserved(x: Exchange, *, but: Order | None = None) -> Amounts:
    """Locked amounts by currency, leaving out one order and the list it belongs to."""
    groups: dict[str, list[tuple[str, Decimal]]] = {}
    for order in x.open_orders():
        if _other(x, order, but) and locks(x, order):
            groups.setdefault(order.list_id or order.order_id, []).append(needed(x, order))
    return _sum(groups)


def _sum(groups: dict[str, list[tuple[str, Decimal]]]) -> Amounts:
    total: Amounts = {}
    for group in groups.values():
        for currency, amount in together(group).items():
            total[currency] = total.get(currency, ZERO) + amount
    return total


def available(x: Exchange, currency: str, *, but: Order | None = None) -> Decimal:
    """Balance minus what (other) open orders lock."""
    return x.ledger.of(currency) - reserved(x, but=but).get(currency, ZERO)


def affordable(x: Exchange, order: Order) -> bool:
    """Whether the rest of the order is covered by what the others leave."""
    currency, amount = needed(x, order)
    return amount <= available(x, currency, but=order)


def _other(x: Exchange, order: Order, but: Order | None) -> bool:
    """Legs share what they lock, until one of them has executed: then the rest is the winner's alone."""
    if but is None:
        return True
    shared = bool(but.list_id) and order.list_id == but.list_id and not x.lists[but.list_id].winner
    return order is not but and not shared


def reserved_by(x: Exchange, side: str) -> Amounts:
    """What the orders of one side lock."""
    groups: dict[str, list[tuple[str, Decimal]]] = {}
    for order in x.open_orders():
        if order.side == side and locks(x, order):
            groups.setdefault(order.list_id or order.order_id, []).append(needed(x, order))
    return _sum(groups)
