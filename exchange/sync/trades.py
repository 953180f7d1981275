"""Stores every fill ever reported, once, with its rate in dollars, and finds the order that it belongs to.

Later answers are compared with the fills that are stored: one that is plausible and untrue would count for ever. An
answer that says otherwise of what it was, when, for which order or at what cost, or does not contain the fill although
it covers its time, disputes it. The second one that says the same, with none between that agrees with what is stored,
corrects it; the fill then keeps what was reported before (`Trade.reports`). A fill that is missing counts as zero,
unless its order confirms it.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from exchange import schemas
from exchange.client.base import UnreadableRow as ReceivedRow
from exchange.core.bulk import TableRow, rows_read, rows_update, rows_write
from exchange.core.database import QUERY_BATCH, chunks, fit_to_columns
from exchange.core.instrument_names import USD, base_of, quote_of
from exchange.core.reasons import Problem, problem
from exchange.core.times import NS_PER_MS, from_ms
from exchange.fields import format_decimal
from exchange.models import ExchangeOrder, Trade
from exchange.selectors import orders_named, orders_named_second, reported_quantities
from exchange.sync.unreadable import unreadable_record_all

TRADES_METHOD = "private/get-trades"
MIN_DISPUTE = timedelta(seconds=10)
MIN_EMPTY = timedelta(minutes=30)  # an answer without any row may be empty by error (dossier 10)
MIN_TIME_DIFFERENCE_NS = 1_000 * NS_PER_MS  # a smaller one may be rounding
CORRECTED_COLUMNS = (
    *("quantity", "price", "fee", "fee_currency"),
    *("instrument_name", "side", "order_id", "client_oid", "create_time_ns"),
)
COLUMN_TYPES = {"quantity": Decimal, "price": Decimal, "fee": Decimal, "create_time_ns": int}  # else text
COMPARED_COLUMNS = ("trade_id", *CORRECTED_COLUMNS, "disputed_since")
DISPUTE_FIELDS = [
    *CORRECTED_COLUMNS,
    "traded_at",
    "disputed_since",
    "disputed_by",
    "reports",
    "is_new",
    "quote_usd",
    "fee_usd",
    "is_rated",
]
ZERO = Decimal(0)
ONE = Decimal(1)
UsdRates = Callable[[str, int], Decimal | None]
"""US dollars for one unit of a currency at a moment (exchange time, ns); None is unknown."""


class TradeRow(TableRow):
    """One row of `exchange_trades` that is to be stored."""

    trade_id: str
    order_id: str
    instrument_name: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    create_time_ns: int
    quote_usd: Decimal | None
    fee_usd: Decimal | None
    is_rated: bool
    resolved_order_id: int | None


NEW_COLUMNS = tuple(field.attname for field in Trade._meta.concrete_fields)[1:]  # without the key
LINK_COLUMNS = ("id", "resolved_order_id", "order_id", "instrument_name", "side")
ORDER_COLUMNS = ("id", "order_id", "exchange_order_id", "instrument_name", "side")
NEW_TRADE: dict[str, Any] = {
    "resolved_order_id": None,
    "is_new": True,
    "disputed_since": None,
    "disputed_by": None,
    "reports": [],
}


# What later answers say of fills that are stored


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
        wanted = Q(trade_id__any_of=part)
        if read is not None and not number:
            wanted |= Q(create_time_ns__gte=read.start_ns, create_time_ns__lt=read.end_ns)
        rows = list(Trade.objects.filter(wanted).order_by().values_list(*COMPARED_COLUMNS, named=True))
        pairs = [(row, found.get(row.trade_id)) for row in rows]
        first_ids = _first_ids(pairs)
        for row, reported in pairs:
            _compare(row, reported, comparison, first_ids)
    return comparison


def _first_ids(pairs: Sequence[tuple[Any, schemas.Trade | None]]) -> dict[str, str]:
    """First id by second id of the orders that a fill names otherwise now: it may carry either one (dossier 6.2)."""
    ids = {
        name
        for row, reported in pairs
        if reported is not None and row.order_id != reported.order_id
        for name in (row.order_id, reported.order_id)
    }
    return dict(orders_named_second(ids).values_list("exchange_order_id", "order_id")) if ids else {}


def _compare(
    row: Any, reported: schemas.Trade | None, comparison: Comparison, first_ids: Mapping[str, str]
) -> None:
    denied = None
    if reported is not None:
        comparison.known.add(row.trade_id)
        denied = _differences(row, reported, first_ids)
    if denied or (reported is None and row.quantity):
        comparison.denied[row.trade_id] = denied
    elif row.disputed_since is not None:
        comparison.agreed.add(row.trade_id)


def _differences(row: Any, reported: schemas.Trade, first_ids: Mapping[str, str]) -> dict[str, str]:
    """What is reported otherwise than stored, by column. A row may leave out a `client_oid`, and the currency of the
    fee: then it says nothing of that.
    """
    said: dict[str, Any] = {
        "quantity": reported.quantity,
        "price": reported.price,
        "instrument_name": reported.instrument_name,
        "side": reported.side,
    }
    if reported.client_oid:
        said["client_oid"] = reported.client_oid
    if reported.fee_instrument_name or not row.fee_currency:
        said |= {"fee": reported.fee, "fee_currency": reported.fee_instrument_name}
    if first_ids.get(row.order_id, row.order_id) != first_ids.get(reported.order_id, reported.order_id):
        said["order_id"] = reported.order_id
    if abs(row.create_time_ns - reported.create_time_ns) >= MIN_TIME_DIFFERENCE_NS:
        said["create_time_ns"] = reported.create_time_ns
    fitting = fit_to_columns(Trade, said)
    return {name: _text(value) for name, value in fitting.items() if value != getattr(row, name)}


def _text(value: object) -> str:
    return format_decimal(value) if isinstance(value, Decimal) else str(value)


def reported_values(report: Mapping[str, str]) -> dict[str, Any]:
    """The columns of one of `Trade.reports`; an earlier version kept fewer of them."""
    return {name: COLUMN_TYPES.get(name, str)(value) for name, value in report.items()}


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
    stored = {"quantity": format_decimal(trade.quantity), "price": format_decimal(trade.price)}
    if denied is None:
        raw = f"{stored['quantity']} at {stored['price']}"
        return ReceivedRow(TRADES_METHOD, trade.trade_id, problem(Problem.FILL_MISSING, **stored), raw)
    what = problem(Problem.FILL_DIFFERS, **stored)
    if not denied.keys() & stored.keys():
        before = ", ".join(f"{name} {_text(getattr(trade, name)) or '-'}" for name in sorted(denied))
        what = problem(Problem.FILL_IS_ANOTHER, stored=before)
    return ReceivedRow(TRADES_METHOD, trade.trade_id, what, json.dumps(denied))


def _is_confirmed_by_order(trade: Trade) -> bool:
    """Whether its order executed as much as its fills, this one included, say."""
    order = trade.resolved_order
    if order is None or not order.filled_quantity:
        return False
    return bool(order.filled_quantity >= reported_quantities([order]).get(order.pk, ZERO))


def _correct(trade: Trade, denied: Mapping[str, str] | None) -> None:
    """What is missing counts as zero. It is looked at again by those who count it."""
    before = {name: _text(getattr(trade, name)) for name in CORRECTED_COLUMNS}
    trade.reports = [*trade.reports, before]
    if denied is None:
        trade.quantity = trade.fee = ZERO
    for name, value in reported_values(denied or {}).items():
        setattr(trade, name, value)
    trade.traded_at = from_ms(trade.create_time_ns // NS_PER_MS)
    trade.disputed_since, trade.disputed_by, trade.is_new = None, None, True
    rate_trade(trade, no_rates)


def disputes_store(*, disputes: TradeDisputes) -> None:
    """Store what changed, and the orders that corrected fills belong to now. Call it in a transaction."""
    if disputes.changed:
        Trade.objects.bulk_update(disputes.changed, DISPUTE_FIELDS)
    if disputes.corrected:
        orders = _orders_of_fills({trade.order_id for trade in disputes.corrected})
        for trade in disputes.corrected:
            trade.resolved_order_id = orders.get((trade.order_id, trade.instrument_name, trade.side))
        Trade.objects.bulk_update(disputes.corrected, ["resolved_order"])


# Storing, and the order of a fill


def trade_record_all(*, trades: Sequence[schemas.Trade], now: datetime) -> list[TradeRow]:
    """Store the fills not seen before and return them; a fill counts once, whichever order id it carries."""
    rows, disputes = prepare_trades(trades=trades, now=now)
    trade_store(rows=rows)
    with transaction.atomic(savepoint=False):
        disputes_store(disputes=disputes)
    unreadable_record_all(rows=disputes.doubts, now=now)
    return rows


def prepare_trades(
    *, trades: Sequence[schemas.Trade], now: datetime, read: ReadRange | None = None
) -> tuple[list[TradeRow], TradeDisputes]:
    """Rows for the fills not seen before, those in dollars with their rate, and what changes in those that were; writes
    nothing. `read`: what these answers cover completely.
    """
    found = {trade.trade_id: trade for trade in trades}
    comparison = compare_trades(found=found, read=read)
    rows = [_row(trade, now) for name, trade in found.items() if name not in comparison.known]
    for row in rows:
        rate_trade(row, no_rates)
    return rows, settle_disputes(comparison=comparison, is_empty=not trades, now=now)


def trade_store(*, rows: Sequence[TradeRow]) -> None:
    """Store new fills, in transactions of at most 500 rows."""
    for part in chunks(rows):
        with transaction.atomic(savepoint=False):  # a fill that is stored without its link would never get it
            orders = _orders_of_fills({row.order_id for row in part})
            for row in part:
                row.resolved_order_id = orders.get((row.order_id, row.instrument_name, row.side))
            rows_write(Trade, NEW_COLUMNS, [row.values(NEW_COLUMNS) for row in part], unique=["trade_id"])


def trade_orders_resolve(*, order_ids: Collection[str]) -> None:
    """Link the stored fills that carry one of these ids to their order, where it is known; a link stays as it is.

    Fills and orders arrive in any order, so this is called for new orders. Call it in a transaction.
    """
    duplicates = ExchangeOrder.objects.filter(pk=OuterRef("resolved_order_id"), is_mirror=True)
    # Without a join: one table.
    unresolved = Trade.objects.filter(Q(resolved_order=None) | Exists(duplicates))
    for part in chunks(sorted(order_ids), QUERY_BATCH):
        fills = rows_read(unresolved.filter(order_id__any_of=part).order_by(), LINK_COLUMNS)
        if fills:
            orders = _orders_of_fills({names[0] for _, _, *names in fills})
            links = [(orders.get(tuple(names)), key, before) for key, before, *names in fills]
            changed = [(order, key) for order, key, before in links if order != before]
            rows_update(Trade, ["resolved_order_id"], changed)


def _orders_of_fills(order_ids: Collection[str]) -> dict[tuple[str, ...], int]:
    """The key of the order of a fill, by the order id, the instrument and the side that the fill names.

    A triggered order has two ids, and its plain duplicate may carry one of them (dossier 6.2); the name spaces may
    number alike (dossier 5.31): the first id goes before the second, and the older order before the newer.
    """
    named = (orders_named(order_ids), orders_named_second(order_ids))
    rows = [row for orders in named for row in rows_read(orders.filter(is_mirror=False), ORDER_COLUMNS)]
    rows.sort(reverse=True)
    by_first = {(order_id, *names): key for key, order_id, _, *names in rows}
    by_second = {(second_id, *names): key for key, _, second_id, *names in rows if second_id}
    return by_second | by_first


def _row(trade: schemas.Trade, now: datetime) -> TradeRow:
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
    return TradeRow(NEW_TRADE | fit_to_columns(Trade, columns))


# What a fill was worth in US dollars when it was traded. It is stored with the fill and does not change later.


def no_rates(currency: str, at_ns: int) -> Decimal | None:
    """No rate is known but that of the dollar itself."""
    return None


def rate_trade(trade: Trade | TradeRow, usd_rates: UsdRates) -> None:
    """Set the rate of the quote currency and the fee in dollars, each where it is known; saves nothing."""
    quote = quote_of(trade.instrument_name)
    trade.quote_usd = _usd_rate(quote, trade.create_time_ns, usd_rates)
    trade.fee_usd = _fee_usd(trade, quote, usd_rates)
    trade.is_rated = trade.quote_usd is not None and trade.fee_usd is not None


def fee_currency_of(trade: Trade | TradeRow) -> str:
    """Without a name it is the usual one: of a buy the coin, of a sale what it brought."""
    named: str = trade.fee_currency
    own = base_of if trade.side == "BUY" else quote_of
    return named or own(trade.instrument_name)


def _fee_usd(trade: Trade | TradeRow, quote: str, usd_rates: UsdRates) -> Decimal | None:
    currency = fee_currency_of(trade)
    if not trade.fee:
        return ZERO
    if currency == quote:
        rate = trade.quote_usd
    elif currency == base_of(trade.instrument_name):
        rate = None if trade.quote_usd is None else trade.price * trade.quote_usd
    else:
        rate = _usd_rate(currency, trade.create_time_ns, usd_rates)
    return None if rate is None else trade.fee * rate


def _usd_rate(currency: str, at_ns: int, usd_rates: UsdRates) -> Decimal | None:
    return ONE if currency == USD else usd_rates(currency, at_ns)
