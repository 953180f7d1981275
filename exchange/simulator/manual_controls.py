"""What a hand may do to the market and the account, in process: the verbs of the controls that need care."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import matching, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.models import NameSpace, Order

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def set_price(x: Exchange, symbol: str, price: Decimal) -> None:
    """Last is this from now on, and open orders meet it at once."""
    x.prices.set_price(symbol, x.at_ms, price)
    changed(x)


def move(x: Exchange, symbol: str, percent: Decimal) -> None:
    x.prices.move(symbol, x.at_ms, percent)
    changed(x)


def set_mark_gap(x: Exchange, symbol: str, ratio: Decimal | None) -> None:
    x.prices.set_mark_gap(symbol, ratio)
    changed(x)


def changed(x: Exchange) -> None:
    x.settle()
    x.revision += 1


def order_named(x: Exchange, order_id: str) -> Order:
    """By either id, in either name space; the advanced one where both count alike."""
    names: tuple[NameSpace, NameSpace] = ("advanced", "plain")
    for name in names:
        found = x.stores[name].by_id.get(order_id)
        if found is not None:
            return found
    for order in x.stores["advanced"].by_id.values():
        if order.exchange_order_id == order_id:
            return order
    raise ValueError(f"no order {order_id}")


def fill(x: Exchange, which: str | Order, *, quantity: Decimal | None, price: Decimal | None) -> Order:
    """Execute a part or the rest of an open order as if a counterparty had come; untriggered ones fire first.

    Where both name spaces count alike an id may mean another order: then say `which` by the order itself.
    """
    order = order_named(x, which) if isinstance(which, str) else which
    if not order.is_open:
        raise ValueError(f"order {order.order_id} is {order.status}")
    wanted = order.remaining if quantity is None else quantity
    at = price or order.limit_price or matching.best(x, order)
    if not 0 < wanted <= order.remaining:
        raise ValueError(f"{wanted} is not within the remaining {order.remaining}")
    whole = not order.waits_for_trigger or settlement.affordable(x, order)
    if not whole or not matching.payable(x, order, wanted, at):
        raise Refusal(306)
    order.triggered = order.triggered or order.waits_for_trigger
    order.status = "ACTIVE"
    settlement.go_live(x, order)
    settlement.fill(x, order, wanted, at, taker=False)
    return order


def withdraw(x: Exchange, currency: str, amount: Decimal, *, force: bool) -> None:
    """30024 when open orders lock it or it is not there; `force` asks nothing but that it is there."""
    most = x.ledger.of(currency) if force else settlement.available(x, currency)
    if amount > most:
        raise Refusal(30024)
    x.deposit(currency, -amount)
