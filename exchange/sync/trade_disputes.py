"""What later answers say of fills that are stored: one that is plausible and untrue would count for ever.

An answer that gives another quantity, price or fee, or does not contain the fill although it covers its time, disputes
it. The second one that says the same, with none between that agrees with what is stored, corrects it; the fill then
keeps what was reported before (`Trade.reports`). A fill that is missing counts as zero, unless its order confirms it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from exchange import schemas
from exchange.client.base import UnreadableRow as ReceivedRow
from exchange.core.chunks import QUERY_BATCH, chunks
from exchange.fields import format_decimal
from exchange.models import Trade
from exchange.selectors import reported_quantities
from exchange.sync.trade_rates import no_rates, rate_trade

METHOD = "private/get-trades"
MIN_DISPUTE = timedelta(seconds=10)
MIN_EMPTY = timedelta(minutes=30)  # an answer without any row may be empty by error (dossier 10)
COLUMNS = ("trade_id", "quantity", "price", "fee", "fee_currency", "create_time_ns", "disputed_since")
CORRECTED = ("quantity", "price", "fee", "fee_currency")
FIELDS = [
    *CORRECTED,
    "disputed_since",
    "disputed_by",
    "reports",
    "is_new",
    "quote_usd",
    "fee_usd",
    "is_rated",
]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReadRange:
    """[start_ns, end_ns) of exchange time was read completely."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class TradeDisputes:
    """`changed` are stored fills to be written, of which `corrected` have other values now; `doubts` are told."""

    changed: Sequence[Trade] = ()
    corrected: Sequence[Trade] = ()
    doubts: Sequence[ReceivedRow] = ()


NO_DISPUTES = TradeDisputes()


@dataclass(slots=True)
class Comparison:
    """The answers beside what is stored. `known` are the ids of stored fills among them."""

    known: set[str] = field(default_factory=set)
    denied: dict[str, dict[str, str] | None] = field(default_factory=dict)  # None: not contained
    agreed: set[str] = field(default_factory=set)  # disputed until now


def compare_trades(*, found: Mapping[str, schemas.Trade], read: ReadRange | None) -> Comparison:
    """One query for at most `QUERY_BATCH` fills; none when nothing was read."""
    comparison = Comparison()
    parts = list(chunks(list(found), QUERY_BATCH)) or ([()] if read else [])
    for number, part in enumerate(parts):
        wanted = Q(trade_id__in=part)
        if read is not None and not number:
            wanted |= Q(create_time_ns__gte=read.start_ns, create_time_ns__lt=read.end_ns)
        for row in Trade.objects.filter(wanted).order_by().values_list(*COLUMNS, named=True):
            _compare(row, found.get(row.trade_id), comparison)
    return comparison


def _compare(row: Any, reported: schemas.Trade | None, comparison: Comparison) -> None:
    if reported is not None:
        comparison.known.add(row.trade_id)
    agrees = not row.quantity if reported is None else _is_same(row, reported)
    if not agrees:
        comparison.denied[row.trade_id] = None if reported is None else _values(reported)
    elif row.disputed_since is not None:
        comparison.agreed.add(row.trade_id)


def _is_same(row: Any, reported: schemas.Trade) -> bool:
    """A row may leave out the currency of the fee, and the order id may be either one (dossier 6.2)."""
    is_same_fee = row.fee_currency != reported.fee_instrument_name or row.fee == reported.fee
    return (row.quantity, row.price) == (reported.quantity, reported.price) and is_same_fee


def _values(reported: schemas.Trade) -> dict[str, str]:
    return {
        "quantity": format_decimal(reported.quantity),
        "price": format_decimal(reported.price),
        "fee": format_decimal(reported.fee),
        "fee_currency": reported.fee_instrument_name,
    }


def settle_disputes(*, comparison: Comparison, is_empty: bool, now: datetime) -> TradeDisputes:
    """Open, end or decide the disputes; writes nothing. No query while nothing is disputed."""
    names = [*comparison.denied, *comparison.agreed]
    changed, corrected, doubts = list[Trade](), list[Trade](), list[ReceivedRow]()
    for part in chunks(names, QUERY_BATCH):
        for trade in Trade.objects.filter(trade_id__in=part).select_related("resolved_order"):
            denied = comparison.denied.get(trade.trade_id)
            if trade.trade_id in comparison.agreed:
                trade.disputed_since = trade.disputed_by = None
                changed.append(trade)
                continue
            if denied is not None or not is_empty:
                doubts.append(_doubt(trade, denied))
            if trade.disputed_since is None or trade.disputed_by != (denied or {}):
                trade.disputed_since, trade.disputed_by = now, denied or {}
                changed.append(trade)
            elif now - trade.disputed_since >= (MIN_EMPTY if is_empty else MIN_DISPUTE) and (
                denied or not _is_confirmed_by_order(trade)
            ):
                _correct(trade, denied)
                changed.append(trade)
                corrected.append(trade)
    return TradeDisputes(changed, corrected, doubts)


def _doubt(trade: Trade, denied: Mapping[str, str] | None) -> ReceivedRow:
    stored = f"{format_decimal(trade.quantity)} at {format_decimal(trade.price)}"
    if denied is None:
        return ReceivedRow(METHOD, trade.trade_id, f"{stored} was reported once and is missing now", stored)
    raw = f"{denied['quantity']} at {denied['price']}, fee {denied['fee']} {denied['fee_currency']}"
    return ReceivedRow(METHOD, trade.trade_id, f"an answer before said {stored}", raw)


def _is_confirmed_by_order(trade: Trade) -> bool:
    """Whether its order executed as much as its fills, this one included, say."""
    order = trade.resolved_order
    if order is None or not order.filled_quantity:
        return False
    return bool(order.filled_quantity >= reported_quantities([order]).get(order.pk, ZERO))


def _correct(trade: Trade, denied: Mapping[str, str] | None) -> None:
    """What is missing counts as zero. It is looked at again by those who count it."""
    before = {name: format_decimal(getattr(trade, name)) for name in CORRECTED[:3]}
    trade.reports = [*trade.reports, {**before, "fee_currency": trade.fee_currency}]
    if denied is None:
        trade.quantity = trade.fee = ZERO
    else:
        trade.quantity, trade.price = Decimal(denied["quantity"]), Decimal(denied["price"])
        trade.fee, trade.fee_currency = Decimal(denied["fee"]), denied["fee_currency"]
    trade.disputed_since, trade.disputed_by, trade.is_new = None, None, True
    rate_trade(trade, no_rates)


def disputes_store(*, disputes: TradeDisputes) -> None:
    """Store what changed. Call it in a transaction."""
    if disputes.changed:
        Trade.objects.bulk_update(disputes.changed, FIELDS)
