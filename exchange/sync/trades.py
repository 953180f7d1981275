"""Stores every fill ever reported, once, and finds the order that it belongs to."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from exchange import schemas
from exchange.core.chunks import QUERY_BATCH, chunks
from exchange.core.columns import fit_to_columns
from exchange.core.times import from_ms
from exchange.models import ExchangeOrder, Trade
from exchange.sync.trade_disputes import (
    ReadRange,
    TradeDisputes,
    compare_trades,
    disputes_store,
    settle_disputes,
)
from exchange.sync.trade_rates import no_rates, rate_trade
from exchange.sync.unreadable import unreadable_record_all


def trade_record_all(*, trades: Sequence[schemas.Trade], now: datetime) -> list[Trade]:
    """Store the fills not seen before and return them; a fill counts once, whichever order id it carries."""
    rows, disputes = prepare_trades(trades=trades, now=now)
    trade_store(rows=rows)
    with transaction.atomic(savepoint=False):
        disputes_store(disputes=disputes)
    unreadable_record_all(rows=disputes.doubts, now=now)
    return rows


def prepare_trades(
    *, trades: Sequence[schemas.Trade], now: datetime, read: ReadRange | None = None
) -> tuple[list[Trade], TradeDisputes]:
    """Rows for the fills not seen before, those in dollars with their rate, and what changes in those that were; writes
    nothing. `read`: what these answers cover completely.
    """
    found = {trade.trade_id: trade for trade in trades}
    comparison = compare_trades(found=found, read=read)
    rows = [_row(trade, now) for name, trade in found.items() if name not in comparison.known]
    for row in rows:
        rate_trade(row, no_rates)
    return rows, settle_disputes(comparison=comparison, is_empty=not trades, now=now)


def trade_store(*, rows: Sequence[Trade]) -> None:
    """Store new fills, in transactions of at most 500 rows."""
    for part in chunks(rows):
        with transaction.atomic(savepoint=False):  # a fill that is stored without its link would never get it
            Trade.objects.bulk_create(part, ignore_conflicts=True)
            trade_orders_resolve(order_ids={row.order_id for row in part})


def trade_orders_resolve(*, order_ids: Collection[str]) -> None:
    """Link the fills that carry one of these ids to their order, where it is known; a link stays as it is.

    Fills and orders arrive in any order, so each side calls this for what is new. A triggered order has two ids,
    and its plain duplicate may carry one of them (dossier 6.2); the name spaces may number alike (dossier 5.31).
    """
    candidates = ExchangeOrder.objects.filter(
        instrument_name=OuterRef("instrument_name"), side=OuterRef("side"), is_mirror=False
    )
    # Each along its own index: the unique one begins with the name space, that of second ids has no empty ones.
    first = candidates.filter(name_space__in=ExchangeOrder.NameSpace.values, order_id=OuterRef("order_id"))
    second = candidates.exclude(exchange_order_id="").filter(exchange_order_id=OuterRef("order_id"))
    duplicates = ExchangeOrder.objects.filter(pk=OuterRef("resolved_order_id"), is_mirror=True)
    # Sorted by an expression: sorted by the key alone, PostgreSQL walks all orders by their key.
    order = Coalesce(*(Subquery(found.order_by(F("pk") + 0).values("pk")[:1]) for found in (first, second)))
    for part in chunks(sorted(order_ids), QUERY_BATCH):
        unresolved = Trade.objects.filter(
            Q(resolved_order=None) | Exists(duplicates)
        )  # without a join: one table
        unresolved.filter(order_id__in=part).order_by().update(resolved_order=order)


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
