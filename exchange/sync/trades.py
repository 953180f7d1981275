"""Keeps every fill ever reported, once."""

from collections.abc import Sequence
from datetime import datetime

from exchange import schemas
from exchange.core.chunks import QUERY_BATCH, chunks
from exchange.core.columns import fit_to_columns
from exchange.core.times import from_ms
from exchange.models import Trade


def trade_record_all(*, trades: Sequence[schemas.Trade], now: datetime) -> list[Trade]:
    """Store the fills not seen before and return them; a fill counts once, whichever order id it carries."""
    rows = prepare_trades(trades=trades, now=now)
    trade_store(rows=rows)
    return rows


def prepare_trades(*, trades: Sequence[schemas.Trade], now: datetime) -> list[Trade]:
    """Rows for the fills not seen before; writes nothing."""
    found = {trade.trade_id: trade for trade in trades}
    for part in chunks(list(found), QUERY_BATCH):
        for known in Trade.objects.filter(trade_id__in=part).values_list("trade_id", flat=True):
            del found[known]
    return [_row(trade, now) for trade in found.values()]


def trade_store(*, rows: Sequence[Trade]) -> None:
    """Write fills down, in transactions of at most 500 rows."""
    for part in chunks(rows):
        Trade.objects.bulk_create(part, ignore_conflicts=True)


def _row(trade: schemas.Trade, now: datetime) -> Trade:
    columns = {
        "trade_id": trade.trade_id,
        "trade_match_id": trade.trade_match_id,
        "order_id": trade.order_id,
        "client_oid": trade.client_oid,
        "account_id": trade.account_id,
        "instrument_name": trade.instrument_name,
        "side": trade.side,
        "taker_side": trade.taker_side,
        "quantity": trade.quantity,
        "price": trade.price,
        "fee": trade.fee,
        "fee_credits": trade.fee_credits,
        "fee_currency": trade.fee_instrument_name,
        "journal_type": trade.journal_type,
        "match_count": trade.match_count,
        "match_index": trade.match_index,
        "isolation_id": trade.isolation_id,
        "isolation_type": trade.isolation_type,
        "traded_at": from_ms(trade.create_time_ms),
        "create_time_ns": trade.create_time_ns,
        "transact_time_ns": trade.transact_time_ns,
        "first_seen_at": now,
    }
    return Trade(**fit_to_columns(Trade, columns))
