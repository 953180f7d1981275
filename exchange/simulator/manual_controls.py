"""Manual controls in process: price changes, fills and withdrawals made outside the order protocol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchange.simulator import matching, order_entry, settlement
from exchange.simulator.config import Refusal
from exchange.simulator.instruments import decimal_text, instrument_from_row, quantity_for_value
from exchange.simulator.models import NameSpace, Order
from exchange.simulator.parameters import Call

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


def set_price(exchange: Exchange, symbol: str, price: Decimal) -> None:
    exchange.prices.set_price(symbol, exchange.at_ms, price)
    price_changed(exchange)


def move(exchange: Exchange, symbol: str, percent: Decimal) -> None:
    exchange.prices.move(symbol, exchange.at_ms, percent)
    price_changed(exchange)


def set_mark_gap(exchange: Exchange, symbol: str, ratio: Decimal | None) -> None:
    exchange.prices.set_mark_gap(symbol, ratio)
    price_changed(exchange)


def set_spread(exchange: Exchange, symbol: str, ratio: Decimal | None) -> None:
    exchange.prices.set_spread(symbol, ratio)
    exchange.revision += 1


def change_rules(exchange: Exchange, symbol: str, changes: Mapping[str, Any]) -> None:
    """New rules of an instrument, in the catalogue and for every order from now on; resting orders stay as they are."""
    exchange.prices.change_rules(symbol, changes)
    rows = {row["symbol"]: row for row in exchange.prices.instruments_rows()}
    exchange.instruments[symbol] = instrument_from_row(rows[symbol])
    exchange.revision += 1


def price_changed(exchange: Exchange) -> None:
    exchange.match_now()
    exchange.revision += 1


def find_order(exchange: Exchange, order_id: str) -> Order:
    """By either id, in either name space; the advanced order where both name spaces use the same id."""
    names: tuple[NameSpace, NameSpace] = ("advanced", "plain")
    for name in names:
        found = exchange.stores[name].by_id.get(order_id)
        if found is not None:
            return found
    for order in exchange.stores["advanced"].by_id.values():
        if order.exchange_order_id == order_id:
            return order
    raise ValueError(f"no order {order_id}")


def fill(exchange: Exchange, which: str | Order, *, quantity: Decimal | None, price: Decimal | None) -> Order:
    """Execute a quantity (default the remainder) of an open order against a counterparty; untriggered ones trigger.

    Where both name spaces use the same ids (option order_id_ranges), pass the order itself.
    """
    order = find_order(exchange, which) if isinstance(which, str) else which
    if not order.is_open:
        raise ValueError(f"order {order.order_id} is {order.status}")
    requested = order.remaining if quantity is None else quantity
    at = price or order.limit_price or matching.taker_price(exchange, order)
    if not 0 < requested <= order.remaining:
        raise ValueError(f"{requested} is not within the remaining {order.remaining}")
    funded = not order.waits_for_trigger or settlement.can_afford(exchange, order)
    if not funded or not matching.can_pay(exchange, order, requested, at):
        raise Refusal(306)
    order.triggered = order.triggered or order.waits_for_trigger
    order.status = "ACTIVE"
    settlement.enter_book(exchange, order)
    settlement.fill(exchange, order, requested, at, taker=False)
    return order


def market_order(exchange: Exchange, symbol: str, side: str, amount_usd: Decimal) -> Order:
    """A market order by another program of the same account, for the whole lots that are worth `amount_usd`."""
    if side not in ("BUY", "SELL"):
        raise ValueError(f"{side} is neither BUY nor SELL")
    instrument = exchange.instruments[symbol]
    price = (exchange.prices.ask if side == "BUY" else exchange.prices.bid)(symbol, exchange.at_ms)
    value = price * exchange.usd(instrument.quote)
    quantity = quantity_for_value(amount_usd, value, instrument) if value and amount_usd > 0 else Decimal(0)
    if not quantity:
        raise Refusal(213, "the amount is less than the smallest quantity")
    call = Call(
        method="private/create-order",
        params={
            "instrument_name": symbol,
            "side": side,
            "type": "MARKET",
            "quantity": decimal_text(quantity),
        },
        default_client_oid=f"hand-{exchange.at_ms}-{exchange.revision}",
    )
    order_id = order_entry.create_plain(exchange, call)["order_id"]
    return exchange.stores["plain"].by_id[order_id]


def withdraw(exchange: Exchange, currency: str, amount: Decimal, *, force: bool) -> None:
    """30024 when it exceeds the available balance, or with `force` the whole balance."""
    maximum = exchange.ledger.balance_of(currency) if force else settlement.available(exchange, currency)
    if amount > maximum:
        raise Refusal(30024)
    exchange.deposit(currency, -amount)
