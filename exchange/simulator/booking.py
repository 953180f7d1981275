"""The only places where an order changes by execution or ends, and where money moves because of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator import oco, reservations
from exchange.simulator.fees import default_token, rounded
from exchange.simulator.records import Order, Trade

if TYPE_CHECKING:
    from exchange.simulator.state import Exchange

FEE_DIGITS = Decimal("0.000000000001")


def fill(x: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool) -> None:
    """Execute a part at a price: trade, money, sums of the order, siblings, and its end when complete."""
    token, fee = charge(x, order, quantity, price, taker=taker)
    order.update_time_ns = x.time_ns()
    x.add_trade(trade_of(x, order, quantity, price, token, fee, taker=taker))
    order.fills += 1
    order.cumulative_quantity += quantity
    order.cumulative_value += quantity * price
    order.cumulative_fee += shown_fee(x, order, quantity, price, fee, taker=taker)
    oco.leg_executed(x, order)
    if order.is_open and order.notional is None and order.remaining == 0:
        end(x, order, "FILLED")


def end(x: Exchange, order: Order, status: str, reason: int = 0, *, alone: bool = False) -> None:
    """The order is over: terminal status, out of the open orders, linked orders told unless `alone`."""
    order.status, order.reason, order.cancel_at_ms = status, reason, None
    order.update_time_ns = max(order.update_time_ns, x.time_ns())
    for store in x.stores.values():
        if store.key(order) in store.by_id and store.by_id[store.key(order)] is order:
            store.shelve(order)
    x.revision += 1
    if not alone:
        oco.leg_ended(x, order)


def cancel(x: Exchange, order: Order) -> None:
    """Accept a cancel: done at once, later, or (a trouble) never."""
    if x.cancels_ignored:
        return
    if x.quirks.cancel_delay_ms:
        order.cancel_at_ms = x.at_ms + x.quirks.cancel_delay_ms
    else:
        end(x, order, "CANCELED")


def go_live(x: Exchange, order: Order) -> None:
    """An advanced order reaches the book under a second id (dossier 6.2)."""
    order.entered = True
    hold(x, order)
    if order.name_space == "advanced" and not order.exchange_order_id:
        order.exchange_order_id = x.ids.next("plain")
        if x.quirks.triggered_in_plain == "shown":
            x.stores["plain"].add(order)


def hold(x: Exchange, order: Order) -> None:
    """What a market order locks does not follow the market."""
    if order.live_type == "MARKET" and not order.waits_for_trigger and order.hold_price is None:
        order.hold_price = x.prices.ask(order.instrument_name, x.at_ms)


def charge(
    x: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool
) -> tuple[str, Decimal]:
    """(token, fee): the preferred token, or the default one when the account is short of it (5.11.4)."""
    instrument, wanted = x.instruments[order.instrument_name], order.fee_instrument_name
    token = default_token(instrument, order.side)
    if wanted != token:
        fee = fee_in(x, order, wanted, quantity, price, taker=taker)
        spent = quantity * price if wanted == instrument.quote and order.side == "BUY" else Decimal(0)
        if fee + spent <= reservations.available(x, wanted, but=order):
            return wanted, fee
    return token, fee_in(x, order, token, quantity, price, taker=taker)


def fee_in(
    x: Exchange, order: Order, token: str, quantity: Decimal, price: Decimal, *, taker: bool
) -> Decimal:
    instrument, ratio = x.instruments[order.instrument_name], x.fees.ratio(taker=taker)
    if token == instrument.base:
        return rounded(quantity * ratio, x.quirks.fee_rounding)
    value = quantity * price * ratio
    if token != instrument.quote:
        value = (value * x.usd(instrument.quote) / (x.usd(token) or Decimal(1))).quantize(FEE_DIGITS)
    return rounded(value, x.quirks.fee_rounding)


def shown_fee(
    x: Exchange, order: Order, quantity: Decimal, price: Decimal, fee: Decimal, *, taker: bool
) -> Decimal:
    """What cumulative_fee grows by: in units of the default token whatever was charged (dossier 5.11.7)."""
    if x.quirks.cumulative_fee_unit == "fee_token":
        return fee
    token = default_token(x.instruments[order.instrument_name], order.side)
    return fee_in(x, order, token, quantity, price, taker=taker)


def trade_of(
    x: Exchange,
    order: Order,
    quantity: Decimal,
    price: Decimal,
    token: str,
    fee: Decimal,
    *,
    taker: bool,
) -> Trade:
    second = order.exchange_order_id
    return Trade(
        trade_id=x.ids.next("trade"),
        trade_match_id=x.ids.next("match"),
        order_id=second if second and x.quirks.fills_carry == "exchange_order_id" else order.order_id,
        client_oid=second
        if second and x.quirks.fills_client_oid == "exchange_order_id"
        else order.client_oid,
        instrument_name=order.instrument_name,
        side=order.side,
        taker_side="TAKER" if taker else "MAKER",
        quantity=quantity,
        price=price,
        fee=-fee,
        fee_instrument_name=token,
        create_time_ns=order.update_time_ns,
        owner=f"{order.name_space}/{order.order_id}",
    )
