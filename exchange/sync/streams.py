"""The three histories of the exchange as sources for `walk`, and how wide a window each takes."""

from collections.abc import Collection, Sequence

from exchange.client.client import Client
from exchange.core.utils import NS_PER_DAY, NS_PER_MS
from exchange.models.history import Stream
from exchange.schemas import NameSpace, Order, Trade
from exchange.sync.pagination import PAGE, Source, Span

# The widest window of the order histories is not documented, that of trades is 7 days (dossier 7).
WIDTH_NS = {Stream.ORDERS: NS_PER_DAY, Stream.ADVANCED: NS_PER_DAY, Stream.TRADES: 7 * NS_PER_DAY}
SPACES = {Stream.ORDERS: NameSpace.PLAIN, Stream.ADVANCED: NameSpace.ADVANCED}


def order_source(client: Client, stream: Stream, known: Collection[str] = ()) -> Source[Order]:
    """The order history of one name space; that of plain orders is sorted by update time."""

    def fetch(span: Span) -> Sequence[Order]:
        return client.order_history(
            SPACES[stream],
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            limit=PAGE,
            instrument_name=span.instrument_name or None,
        )

    return Source(
        fetch=fetch,
        stamp_ns=lambda order: order.update_time_ms * NS_PER_MS,
        identity=lambda order: order.order_id,
        instrument=lambda order: order.instrument_name,
        newest_first=stream is Stream.ORDERS,  # not documented for the advanced family (dossier 7)
        known_instruments=known,
    )


def trade_source(client: Client, known: Collection[str] = ()) -> Source[Trade]:
    """Our fills, sorted by their booking time in nanoseconds."""

    def fetch(span: Span) -> Sequence[Trade]:
        return client.trades(
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            limit=PAGE,
            instrument_name=span.instrument_name or None,
        )

    return Source(
        fetch=fetch,
        stamp_ns=lambda trade: trade.create_time_ns,
        identity=lambda trade: trade.trade_id,
        instrument=lambda trade: trade.instrument_name,
        has_ns=True,
        known_instruments=known,
    )
