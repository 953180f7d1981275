"""Reading for display: orders, what they cost, how old our picture of the exchange is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from exchange.models import Candle, ExchangeOrder, Heartbeat, Instrument, SyncRun, Trade
from exchange.rows import CandleRow, Fee, OrderRow, UsdPrices, order_row


def orders_shown() -> QuerySet[ExchangeOrder]:
    """Every order once: the plain face of an advanced order is left out (dossier 6.2)."""
    return ExchangeOrder.objects.filter(is_mirror=False)


def orders_open() -> QuerySet[ExchangeOrder]:
    """All open orders of both name spaces, newest first. Reads the index `orders_open` only."""
    return orders_shown().filter(is_open=True).order_by("-created_at", "-id")


def orders_executed() -> QuerySet[ExchangeOrder]:
    """Finished orders that were filled, wholly or in part, newest first. Walks the index `orders_executed`."""
    return orders_shown().filter(is_open=False, has_fills=True).order_by("-updated_at", "-id")


def order_rows(
    orders: Iterable[ExchangeOrder],
    *,
    usd_prices: UsdPrices,
    with_fees: bool = True,
    instruments: Mapping[str, Instrument] | None = None,
) -> tuple[OrderRow, ...]:
    """`orders` as shown, in their order: one query for the `instruments`, unless given, and one for the fees."""
    listed = list(orders)
    if instruments is None:
        instruments = _instruments({order.instrument_name for order in listed})
    fees = order_fees(listed) if with_fees else {}
    return tuple(
        order_row(
            order,
            instrument=instruments.get(order.instrument_name),
            usd_prices=usd_prices,
            fee=fees.get(order.pk, Fee()),
        )
        for order in listed
    )


def order_fees(orders: Sequence[ExchangeOrder]) -> dict[int, Fee]:
    """By primary key, the fee as charged: the sum over the trades of either id of the order (dossier 6.2).

    Not known while trades are missing; no one number when it was charged in two currencies.
    """
    trades = _trades_by_order_id({id for order in orders for id in _ids(order)})
    return {
        order.pk: _fee(order, [trade for id in _ids(order) for trade in trades.get(id, ())])
        for order in orders
    }


def _ids(order: ExchangeOrder) -> set[str]:
    return {order.order_id, order.exchange_order_id} - {""}


def _fee(order: ExchangeOrder, trades: Sequence[Trade]) -> Fee:
    currencies = {trade.fee_currency for trade in trades}
    traded = sum((trade.quantity for trade in trades), Decimal())
    if len(currencies) != 1 or traded < order.filled_quantity:
        return Fee()
    charged = sum((trade.fee for trade in trades), Decimal())
    return Fee(amount=-charged if charged else charged, currency=currencies.pop())


def _trades_by_order_id(ids: set[str]) -> Mapping[str, list[Trade]]:
    found: dict[str, list[Trade]] = {}
    wanted = Trade.objects.filter(order_id__in=ids)
    for trade in wanted.only("order_id", "quantity", "fee", "fee_currency"):
        found.setdefault(trade.order_id, []).append(trade)
    return found


def instruments_of(*, symbols: Iterable[str], currencies: Iterable[str]) -> dict[str, Instrument]:
    """By symbol, those named and every pair of `currencies`. One query."""
    found = Instrument.objects.filter(Q(symbol__in=set(symbols)) | Q(base_ccy__in=set(currencies)))
    return {row.symbol: row for row in found}


def _instruments(symbols: set[str]) -> Mapping[str, Instrument]:
    return {row.symbol: row for row in Instrument.objects.filter(symbol__in=symbols)}


def candles_of(*, instrument_name: str, timeframe: str, limit: int) -> tuple[CandleRow, ...]:
    """The newest `limit` bars, oldest first; the last one may be unfinished. One query, along the index.

    Where the desk was away longer than the exchange tells bars for, some are missing: look at the times.
    """
    bars = Candle.objects.filter(instrument_name=instrument_name, timeframe=timeframe)
    newest = bars.order_by("-opened_at").values(*(field.name for field in fields(CandleRow)))[:limit]
    return tuple(CandleRow(**row) for row in reversed(newest))


def sync_last_success() -> datetime | None:
    """When the newest complete cycle ended; a cycle with a failed part does not count."""
    complete = SyncRun.objects.filter(status=SyncRun.Status.OK, finished_at__isnull=False)
    return complete.order_by("-finished_at").values_list("finished_at", flat=True).first()


def worker_last_beat() -> datetime | None:
    """The newest sign of life of any worker."""
    beats = Heartbeat.objects.filter(name__startswith="worker").order_by("-beat_at")
    return beats.values_list("beat_at", flat=True).first()
