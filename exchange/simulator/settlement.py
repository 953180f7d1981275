"""The only places where an order changes by execution or ends, and where money moves because of it.

What open orders lock: price times quantity without fee for a buy, the quantity for a sell (dossier 5.6).

Linked pairs: one leg executes, the other is cancelled; one leg is cancelled, so is the other (dossier 6.3).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.instruments import ZERO
from exchange.simulator.models import (
    MARKET_TRIGGERS,
    TRIGGERS,
    Order,
    OrderList,
    Trade,
    default_token,
    rounded,
)

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange


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
    leg_executed(x, order)
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
        leg_ended(x, order)


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
        if fee + spent <= available(x, wanted, but=order):
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
        end(x, order, "CANCELED", x.quirks.oco_sibling_reason)


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
            end(x, leg, "CANCELED", x.quirks.oco_sibling_reason, alone=True)
