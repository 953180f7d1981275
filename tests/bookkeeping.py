"""Compares our database with the simulator's own record: nothing lost, nothing twice, nothing else."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from exchange.models import ExchangeOrder, HistoryGap, HistoryRange, Trade
from exchange.simulator import models, serializers
from exchange.simulator.exchange import Exchange
from exchange.simulator.instruments import truncate_to_8
from portfolio.models import Balance

Values = tuple[Any, ...]
ZERO = Decimal(0)


def differences(exchange: Exchange, *, allow_gaps: bool = False) -> list[str]:
    """The differences as texts; empty when both records agree. Includes the simulator's own bookkeeping check.

    `allow_gaps`: where one millisecond holds more than a page, the desk may record a history gap.
    """
    gaps = [] if allow_gaps else [f"history gap: {each} {each.reason}" for each in HistoryGap.objects.all()]
    return [
        *exchange.audit(),
        *_orders(exchange),
        *_mirrors(exchange),
        *_trades(exchange),
        *_balances(exchange),
        *_history(),
        *gaps,
    ]


def _orders(exchange: Exchange) -> Iterator[str]:
    exchange_values = {_key(order): _order_values(exchange, order) for order in exchange.all_orders()}
    desk_values = {
        (row.name_space, row.order_id): _row_values(row)
        for row in ExchangeOrder.objects.filter(is_mirror=False)
    }
    return _compare("order", exchange_values, desk_values)


def _key(order: models.Order) -> tuple[str, str]:
    return order.name_space.upper(), order.order_id


def _order_values(exchange: Exchange, order: models.Order) -> Values:
    second = order.exchange_order_id if exchange.behaviour.exchange_order_id == "when_live" else ""
    return (
        *(order.instrument_name, order.side, order.order_type, order.client_oid, order.list_id, second),
        *(order.status, order.reason, order.is_open, order.limit_price, order.ref_price, order.quantity),
        *(order.cumulative_quantity, order.cumulative_value, abs(order.cumulative_fee)),
        *(order.fee_instrument_name, order.create_time_ns, order.update_time_ns // models.NS_PER_MS),
    )


def _row_values(row: ExchangeOrder) -> Values:
    return (
        *(row.instrument_name, row.side, row.order_type, row.client_oid, row.list_id, row.exchange_order_id),
        *(row.status, row.reason, row.is_open, row.price, row.trigger_price, row.quantity),
        *(row.filled_quantity, row.filled_value or ZERO, abs(row.cumulative_fee or ZERO)),
        *(row.fee_currency, row.created_ns, round(row.updated_at.timestamp() * 1000)),
    )


def _mirrors(exchange: Exchange) -> Iterator[str]:
    """The duplicate listings of advanced orders as plain ones (option triggered_in_plain).

    They add no information: one whose history window goes by creation time may be missed.
    """
    plain = exchange.stores["plain"]
    shown = Counter(key for key, order in plain.by_id.items() if order.name_space == "advanced")
    marked = Counter(ExchangeOrder.objects.filter(is_mirror=True).values_list("order_id", flat=True))
    wrong = marked - shown if exchange.behaviour.history_window == "create" else shown | marked
    return (
        f"mirror {key}: shown {shown[key]}, marked {marked[key]}"
        for key in wrong
        if shown[key] != marked[key]
    )


def _trades(exchange: Exchange) -> Iterator[str]:
    exchange_values = {
        trade.trade_id: (
            *(trade.order_id, trade.client_oid, trade.instrument_name, trade.side, trade.taker_side),
            *(trade.quantity, trade.price, trade.fee, trade.fee_instrument_name, trade.create_time_ns),
        )
        for trade in exchange.trades.rows
    }
    desk_values = {
        row.trade_id: (
            *(row.order_id, row.client_oid, row.instrument_name, row.side, row.taker_side),
            *(row.quantity, row.price, row.fee, row.fee_currency, row.create_time_ns),
        )
        for row in Trade.objects.all()
    }
    return _compare("trade", exchange_values, desk_values)


def _balances(exchange: Exchange) -> Iterator[str]:
    exchange_values = {
        holding.currency: (holding.quantity, truncate_to_8(max(holding.free, ZERO)))
        for holding in serializers.holdings(exchange)
    }
    desk_values = {
        row.currency: (row.quantity, row.available) for row in Balance.objects.all() if row.quantity
    }
    return _compare("balance", exchange_values, desk_values)


def _history() -> Iterator[str]:
    """All history is read, and no open order is marked missing."""
    yield from (f"history left: {each}" for each in HistoryRange.objects.filter(done_at__isnull=True))
    missing = ExchangeOrder.objects.filter(is_open=True, missing_since__isnull=False)
    yield from (f"marked missing: {each}" for each in missing)


def _compare(kind: str, exchange_values: dict[Any, Values], desk_values: dict[Any, Values]) -> Iterator[str]:
    for key in exchange_values.keys() | desk_values.keys():
        there, here = exchange_values.get(key), desk_values.get(key)
        if there != here:
            yield f"{kind} {key}: exchange {_describe(there, here)}, desk {_describe(here, there)}"


def _describe(values: Values | None, other: Values | None) -> str:
    """Only the differing values, if both records have the item."""
    if values is None or other is None:
        return "nothing" if values is None else "has it"
    return str([str(fact) for fact, there in zip(values, other, strict=True) if fact != there])
