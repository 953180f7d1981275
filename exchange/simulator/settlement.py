"""Settlement: the only module where an order changes by execution or ends, and where money moves because of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.instruments import ZERO
from exchange.simulator.models import (
    ATTACHED,
    MARKET_TRIGGERS,
    TRIGGERS,
    Order,
    OrderList,
    Trade,
    default_fee_token,
    round_fee,
)

if TYPE_CHECKING:
    from exchange.simulator.exchange import Exchange

Amounts = dict[str, Decimal]
FEE_PRECISION = Decimal("0.000000000001")
RACE_MS = 500


# Executions and ends


def fill(exchange: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool) -> None:
    """Execute a quantity at a price: trade, money, sums of the order, linked orders, and its end when complete."""
    token, fee = fee_charged(exchange, order, quantity, price, taker=taker)
    order.update_time_ns = exchange.time_ns()
    exchange.add_trade(build_trade(exchange, order, quantity, price, token, fee, taker=taker))
    order.fills += 1
    order.cumulative_quantity += quantity
    order.cumulative_value += quantity * price
    order.cumulative_fee += reported_fee(exchange, order, quantity, price, fee, taker=taker)
    exchange.order_changed(order)
    on_leg_executed(exchange, order)
    if order.is_open and order.notional is None and order.remaining == 0:
        end_order(exchange, order, "FILLED")


def build_trade(
    exchange: Exchange,
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
        trade_id=exchange.ids.next("trade"),
        trade_match_id=exchange.ids.next("match"),
        order_id=second
        if second and exchange.behaviour.fills_carry == "exchange_order_id"
        else order.order_id,
        client_oid=second
        if second and exchange.behaviour.fills_client_oid == "exchange_order_id"
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


def end_order(
    exchange: Exchange, order: Order, status: str, reason: int = 0, *, skip_siblings: bool = False
) -> None:
    """Give the order its terminal status and move it to the history; then end linked orders."""
    order.status, order.reason, order.cancel_at_ms = status, reason, None
    order.update_time_ns = max(order.update_time_ns, exchange.time_ns())
    for store in exchange.stores.values():
        if store.key(order) in store.by_id and store.by_id[store.key(order)] is order:
            store.archive(order)
    exchange.order_changed(order)
    if not skip_siblings:
        on_leg_ended(exchange, order)


def cancel_order(exchange: Exchange, order: Order) -> None:
    """Accept a cancel: done at once, after a delay (option), or never (fault ignore_cancel)."""
    if exchange.cancels_ignored:
        return
    if exchange.behaviour.cancel_delay_ms:
        order.cancel_at_ms = exchange.at_ms + exchange.behaviour.cancel_delay_ms
    else:
        end_order(exchange, order, "CANCELED")


def enter_book(exchange: Exchange, order: Order) -> None:
    """An advanced order reaches the book under a second id (dossier 6.2)."""
    order.entered = True
    fix_hold_price(exchange, order)
    if order.name_space == "advanced" and not order.exchange_order_id:
        order.exchange_order_id = exchange.ids.next("plain")
        if exchange.behaviour.triggered_in_plain == "shown":
            exchange.stores["plain"].add(order)
        exchange.order_changed(order)


def fix_hold_price(exchange: Exchange, order: Order) -> None:
    """The amount that a market order reserves does not follow the market."""
    if order.live_type == "MARKET" and not order.waits_for_trigger and order.hold_price is None:
        order.hold_price = exchange.prices.ask(order.instrument_name, exchange.at_ms)


# Fees (dossier 5.11.4, 5.11.7)


def fee_charged(
    exchange: Exchange, order: Order, quantity: Decimal, price: Decimal, *, taker: bool
) -> tuple[str, Decimal]:
    """(token, fee) in the requested token, or in the default one if the balance does not suffice (5.11.4)."""
    instrument, requested = exchange.instruments[order.instrument_name], order.fee_instrument_name
    token = default_fee_token(instrument, order.side)
    if requested != token:
        fee = fee_in_token(exchange, order, requested, quantity, price, taker=taker)
        spent = quantity * price if requested == instrument.quote and order.side == "BUY" else Decimal(0)
        if fee + spent <= available(exchange, requested, excluding=order):
            return requested, fee
    return token, fee_in_token(exchange, order, token, quantity, price, taker=taker)


def fee_in_token(
    exchange: Exchange, order: Order, token: str, quantity: Decimal, price: Decimal, *, taker: bool
) -> Decimal:
    instrument, ratio = exchange.instruments[order.instrument_name], exchange.fees.ratio(taker=taker)
    if token == instrument.base:
        return round_fee(quantity * ratio, exchange.behaviour.fee_rounding)
    value = quantity * price * ratio
    if token != instrument.quote:
        value = (value * exchange.usd(instrument.quote) / (exchange.usd(token) or Decimal(1))).quantize(
            FEE_PRECISION
        )
    return round_fee(value, exchange.behaviour.fee_rounding)


def reported_fee(
    exchange: Exchange, order: Order, quantity: Decimal, price: Decimal, fee: Decimal, *, taker: bool
) -> Decimal:
    """The increase of cumulative_fee: in the default token, whatever token was charged (dossier 5.11.7)."""
    if exchange.behaviour.cumulative_fee_unit == "fee_token":
        return fee
    token = default_fee_token(exchange.instruments[order.instrument_name], order.side)
    return fee_in_token(exchange, order, token, quantity, price, taker=taker)


# Linked orders: one leg executes or is cancelled, and the other is cancelled (dossier 6.3)


def on_leg_executed(exchange: Exchange, order: Order) -> None:
    """A leg executed, partly or fully: its sibling ends at once, or after a short race (option)."""
    if not order.list_id:
        return
    order_list = exchange.lists[order.list_id]
    if order_list.contingency_type == ATTACHED:
        if order.leg_id != "1":
            cancel_legs(exchange, [leg for leg in siblings(exchange, order) if leg.leg_id != "1"])
        return
    if not order_list.winner:
        order_list.winner, order_list.siblings_end_at_ms = order.order_id, exchange.at_ms + RACE_MS
    if exchange.behaviour.oco_race == "none":
        cancel_legs(exchange, siblings(exchange, order))
    if exchange.behaviour.oco_remainder == "canceled" and order.is_open and order.remaining:
        end_order(exchange, order, "CANCELED", exchange.behaviour.oco_sibling_reason)


def on_leg_ended(exchange: Exchange, order: Order) -> None:
    """A leg ended without executing: its sibling ends as well (product news, dossier 5.23)."""
    if order.contingency_type == ATTACHED:
        check_attached(exchange, order)
    elif order.list_id and not order.cumulative_quantity and exchange.behaviour.oco_leg_cancel == "both":
        cancel_legs(exchange, [leg for leg in siblings(exchange, order) if not leg.cumulative_quantity])


def check_attached(exchange: Exchange, order: Order) -> None:
    """The first order is executed: its triggers take effect. It ended otherwise: what they do is an option (6.3)."""
    if order.leg_id != "1" or order.is_open:
        return
    waiting = [leg for leg in siblings(exchange, order) if leg.waits_for == order.order_id]
    if order.status == "FILLED":
        for leg in waiting:
            leg.waits_for = ""
    elif exchange.behaviour.attached_orphans == "canceled":
        cancel_legs(exchange, waiting)


def end_races(exchange: Exchange) -> None:
    if exchange.behaviour.oco_race == "none":
        return
    for each in exchange.lists.values():
        if each.siblings_end_at_ms is not None and each.siblings_end_at_ms <= exchange.at_ms:
            each.siblings_end_at_ms = None
            cancel_legs(exchange, [leg for leg in open_legs(exchange, each) if leg.order_id != each.winner])


def siblings(exchange: Exchange, order: Order) -> list[Order]:
    if not order.list_id:
        return []
    legs = (exchange.stores["advanced"].by_id[each] for each in exchange.lists[order.list_id].order_ids)
    return [leg for leg in legs if leg is not order and leg.is_open]


def open_legs(exchange: Exchange, order_list: OrderList) -> list[Order]:
    legs = (exchange.stores["advanced"].by_id[each] for each in order_list.order_ids)
    return [leg for leg in legs if leg.is_open]


def cancel_legs(exchange: Exchange, legs: list[Order]) -> None:
    for leg in legs:
        if leg.is_open:
            end_order(exchange, leg, "CANCELED", exchange.behaviour.oco_sibling_reason, skip_siblings=True)


# What open orders reserve: price times quantity without fee for a buy, the quantity for a sell (dossier 5.6)


def available(exchange: Exchange, currency: str, *, excluding: Order | None = None) -> Decimal:
    return exchange.ledger.balance_of(currency) - reserved(exchange, excluding=excluding).get(currency, ZERO)


def can_afford(exchange: Exchange, order: Order) -> bool:
    currency, amount = required_funds(exchange, order)
    return amount <= available(exchange, currency, excluding=order)


def reserved(exchange: Exchange, *, side: str = "", excluding: Order | None = None) -> Amounts:
    """Reserved amounts by currency: of one side if given, and without one order and its list if given."""
    groups: dict[str, list[tuple[str, Decimal]]] = {}
    for order in exchange.open_orders():
        is_counted = side in ("", order.side) and _counts_against(exchange, order, excluding)
        if is_counted and reserves(exchange, order):
            groups.setdefault(order.list_id or order.order_id, []).append(required_funds(exchange, order))
    total: Amounts = {}
    for group in groups.values():
        for currency, amount in max_per_currency(group).items():
            total[currency] = total.get(currency, ZERO) + amount
    return total


def reserves(exchange: Exchange, order: Order) -> bool:
    """Whether the order reserves funds now; for untriggered ones an option decides (dossier D19, 11.4)."""
    if order.waits_for:
        return False
    if order.list_id and exchange.lists[order.list_id].winner not in ("", order.order_id):
        return False
    if order.order_type not in TRIGGERS or order.triggered:
        return True
    if order.contingency_type == "OCO":
        return exchange.behaviour.oco_reserves == "at_placement"
    return exchange.behaviour.trigger_reserves == "at_placement"


def required_funds(exchange: Exchange, order: Order) -> tuple[str, Decimal]:
    """(currency, amount) that the remainder of the order can spend."""
    instrument = exchange.instruments[order.instrument_name]
    if order.side == "SELL":
        return instrument.base, order.remaining
    if order.notional is not None:
        return instrument.quote, order.notional - order.cumulative_value
    return instrument.quote, order.remaining * _price(exchange, order)


def max_per_currency(amounts: list[tuple[str, Decimal]]) -> Amounts:
    """Linked orders share what they reserve: the largest amount of each currency."""
    maximum: Amounts = {}
    for currency, amount in amounts:
        maximum[currency] = max(amount, maximum.get(currency, ZERO))
    return maximum


def _price(exchange: Exchange, order: Order) -> Decimal:
    if order.order_type == "MARKET" or (order.triggered and order.order_type in MARKET_TRIGGERS):
        return order.hold_price or exchange.prices.ask(order.instrument_name, exchange.at_ms)
    return order.limit_price or order.ref_price or ZERO


def _counts_against(exchange: Exchange, order: Order, excluding: Order | None) -> bool:
    """Legs share what they reserve until one has executed; then the reservation is the winner's alone."""
    if excluding is None:
        return True
    shared = (
        bool(excluding.list_id)
        and order.list_id == excluding.list_id
        and not exchange.lists[excluding.list_id].winner
    )
    return order is not excluding and not shared
