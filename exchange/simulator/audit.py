"""Recomputes the books from first principles and tells every difference in words."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import reservations
from exchange.simulator.decimals import ZERO

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange


def differences(x: Exchange) -> list[str]:
    return [*money(x), *holdings(x), *executed(x), *shelves(x)]


def money(x: Exchange) -> list[str]:
    """Balances are what was paid in, plus trades, minus fees; and never below zero."""
    sums: dict[str, Decimal] = {}
    for currency, amount in x.ledger.paid_in.items():
        _add(sums, currency, amount)
    for trade in x.trades.rows:
        instrument, sign = x.instruments[trade.instrument_name], 1 if trade.side == "BUY" else -1
        _add(sums, instrument.base, sign * trade.quantity)
        _add(sums, instrument.quote, -sign * trade.quantity * trade.price)
        _add(sums, trade.fee_instrument_name, trade.fee)
    currencies = {*sums, *x.ledger.balances}
    wrong = [each for each in sorted(currencies) if _of(sums, each) != x.ledger.of(each)]
    negative = [each for each in sorted(currencies) if x.ledger.of(each) < 0]
    told = [f"{each}: balance {x.ledger.of(each)}, trades say {_of(sums, each)}" for each in wrong]
    return told + [f"{each}: balance {x.ledger.of(each)} is below zero" for each in negative]


def holdings(x: Exchange) -> list[str]:
    """Nothing locks more than is owned."""
    locked = reservations.reserved(x).items()
    return [
        f"{name}: {amount} locked of {x.ledger.of(name)}"
        for name, amount in locked
        if amount > x.ledger.of(name)
    ]


def executed(x: Exchange) -> list[str]:
    """The sums of every order are the sums of its trades, whichever id they carry."""
    quantities: dict[str, Decimal] = {}
    for trade in x.trades.rows:
        _add(quantities, trade.owner or f"plain/{trade.order_id}", trade.quantity)
    found = []
    for order in x.all_orders():
        total = _of(quantities, f"{order.name_space}/{order.order_id}")
        if total != order.cumulative_quantity:
            found.append(f"order {order.order_id}: executed {order.cumulative_quantity}, trades say {total}")
    return found


def shelves(x: Exchange) -> list[str]:
    """Open orders are where open orders are kept, ended ones in the history."""
    found = []
    for store in x.stores.values():
        ended = {key for _, _, key in store.by_update}
        for key, order in store.by_id.items():
            if order.is_open != (key in store.open) or order.is_open == (key in ended):
                found.append(f"order {key} is {order.status} but kept elsewhere")
    return found


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = _of(sums, currency) + amount


def _of(sums: dict[str, Decimal], currency: str) -> Decimal:
    return sums.get(currency, ZERO)
