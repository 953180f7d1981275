"""What is read page by page: the order histories of both name spaces, and our fills (dossier 5.18, 5.19, 5.30)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from exchange.core.times import NS_PER_DAY, NS_PER_MS
from exchange.models.sync import Stream
from exchange.schemas import NameSpace, Order, Trade
from exchange.sync.pagination import PAGE_SIZE, HistorySource, TimeWindow

if TYPE_CHECKING:
    from exchange.client.client import Client

# The widest window of the order histories is not documented, that of trades is 7 days (dossier 7).
MAX_WINDOW_NS = {Stream.ORDERS: NS_PER_DAY, Stream.ADVANCED: NS_PER_DAY, Stream.TRADES: 7 * NS_PER_DAY}
NAME_SPACES = {Stream.ORDERS: NameSpace.PLAIN, Stream.ADVANCED: NameSpace.ADVANCED}


def order_source(client: Client, stream: Stream, known: Collection[str] = ()) -> HistorySource[Order]:
    """The order history of one name space; that of plain orders is sorted by update time."""

    def fetch(window: TimeWindow) -> Sequence[Order]:
        return client.order_history(
            NAME_SPACES[stream],
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            limit=PAGE_SIZE,
            instrument_name=window.instrument_name or None,
        )

    return HistorySource(
        fetch=fetch,
        timestamp_ns=lambda order: order.update_time_ms * NS_PER_MS,
        row_id=lambda order: order.order_id,
        instrument=lambda order: order.instrument_name,
        newest_first=stream is Stream.ORDERS,  # not documented for the advanced family (dossier 7)
        known_instruments=known,
    )


def trade_source(client: Client, known: Collection[str] = ()) -> HistorySource[Trade]:
    """Our fills, sorted by their booking time in nanoseconds."""

    def fetch(window: TimeWindow) -> Sequence[Trade]:
        return client.trades(
            start_ns=window.start_ns,
            end_ns=window.end_ns,
            limit=PAGE_SIZE,
            instrument_name=window.instrument_name or None,
        )

    return HistorySource(
        fetch=fetch,
        timestamp_ns=lambda trade: trade.create_time_ns,
        row_id=lambda trade: trade.trade_id,
        instrument=lambda trade: trade.instrument_name,
        has_ns=True,
        known_instruments=known,
    )
