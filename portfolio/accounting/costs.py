"""Keeps what the coins have cost: enters new trades, and reckons a coin again from where an earlier one came in.

Each trade is entered once, in the order in which it was stored, so that a history read backwards while the
desk runs is taken in like any other news. What follows an entry is reckoned from the stock before it, a
bounded part in each cycle, until nothing is behind: the result is that of all trades in their own order.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from exchange.models import Trade
from exchange.services.lease import Held
from portfolio.accounting.cost_basis import EMPTY, Change, Fill, Stock, after, changes_of
from portfolio.accounting.drift import drift_count
from portfolio.models import CostCursor, CostEntry, PositionCost

AT_ONCE = 500  # trades or entries a transaction
IN_A_CYCLE = 10  # such parts, of each kind
COLUMNS = (
    *("pk", "create_time_ns", "trade_id", "order_id"),
    *("instrument_name", "side", "quantity", "price", "fee", "fee_currency"),
)
RECKONED = ["stock", "stock_cost_usd", "realised_usd"]
Row = tuple[Any, ...]


def cost_update(*, held: Held) -> CostCursor | None:
    """1. enter trades that are new to us 2. reckon coins that are behind. Two statements when nothing is.

    While more is waiting to be entered nothing is reckoned, and there is no cursor to go on from: the next part
    may be from before.
    """
    cursor = CostCursor.objects.first() or CostCursor()
    for _ in range(IN_A_CYCLE):
        rows = _new_rows(cursor.trade_pk)
        if rows:
            _enter(rows, cursor, held)
        if len(rows) < AT_ONCE:
            break
    else:
        return None
    if cursor.is_behind:
        _catch_up(cursor, held)
    return cursor


def _new_rows(trade_pk: int) -> list[Row]:
    return list(Trade.objects.filter(pk__gt=trade_pk).order_by("pk").values_list(*COLUMNS)[:AT_ONCE])


def _enter(rows: Sequence[Row], cursor: CostCursor, held: Held) -> None:
    """Entries, what is behind because of them, and how far we are: together."""
    entries = [_entry(row, change) for row in rows for change in _changes(row)]
    cursor.trade_pk = rows[-1][0]
    cursor.is_behind = cursor.is_behind or bool(entries)
    with transaction.atomic():
        held.renew()
        CostEntry.objects.bulk_create(entries, ignore_conflicts=True)
        _mark_behind(entries)
        drift_count(fills=[(row[1], _fill(row)) for row in rows], since_ns=cursor.compared_since_ns)
        cursor.save()


def _changes(row: Row) -> Iterable[Change]:
    return changes_of(_fill(row), cash=settings.CASH_CURRENCIES)


def _fill(row: Row) -> Fill:
    return Fill(**dict(zip(COLUMNS[4:], row[4:], strict=True)))


def _entry(row: Row, change: Change) -> CostEntry:
    _, at_ns, trade_id, order_id, instrument_name, *_ = row
    return CostEntry(
        currency=change.currency,
        at_ns=at_ns,
        trade_id=trade_id,
        order_id=order_id,
        instrument_name=instrument_name,
        change=change.quantity,
        usd=change.usd,
        is_sale=change.is_sale,
    )


def _mark_behind(entries: Sequence[CostEntry]) -> None:
    first: dict[str, int] = {}
    for entry in entries:
        first[entry.currency] = min(entry.at_ns, first.get(entry.currency, entry.at_ns))
    known = {row.currency: row for row in PositionCost.objects.filter(currency__in=first)}
    for currency, at_ns in first.items():
        row = known.get(currency) or PositionCost(currency=currency, quantity=EMPTY.quantity)
        row.behind_ns = at_ns if row.behind_ns is None else min(at_ns, row.behind_ns)
        row.save()


def _catch_up(cursor: CostCursor, held: Held) -> None:
    left = IN_A_CYCLE
    for row in PositionCost.objects.filter(behind_ns__isnull=False):
        while left and row.behind_ns is not None:
            left -= 1
            with transaction.atomic():
                held.renew()
                _reckon(row, row.behind_ns)
    if left:
        cursor.is_behind = False
        cursor.save(update_fields=["is_behind"])


def _reckon(row: PositionCost, behind_ns: int) -> None:
    """The next part of one coin; entries of one instant stay together."""
    entries = _part(CostEntry.objects.filter(currency=row.currency, at_ns__gte=behind_ns))
    stock = _stock_before(row.currency, behind_ns)
    changed = []
    for entry in entries:
        before = _figures(entry)
        stock = _apply(entry, stock)
        if _figures(entry) != before:
            changed.append(entry)
    CostEntry.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["currency", "at_ns", "trade_id"],
        update_fields=RECKONED,
    )
    row.quantity, row.cost_usd = stock.quantity, stock.cost
    row.behind_ns = entries[-1].at_ns + 1 if len(entries) >= AT_ONCE else None
    row.save()


def _part(entries: Any) -> list[CostEntry]:
    ordered = entries.order_by("at_ns", "trade_id")
    part = list(ordered[:AT_ONCE])
    return list(ordered.filter(at_ns__lte=part[-1].at_ns)) if len(part) == AT_ONCE else part


def _stock_before(currency: str, at_ns: int) -> Stock:
    rows = CostEntry.objects.filter(currency=currency, at_ns__lt=at_ns).order_by("-at_ns", "-trade_id")
    found = rows.values_list("stock", "stock_cost_usd").first()
    quantity, cost = found or (None, None)
    return EMPTY if quantity is None else Stock(quantity, cost)


def _figures(entry: CostEntry) -> tuple[Any, ...]:
    return entry.stock, entry.stock_cost_usd, entry.realised_usd


def _apply(entry: CostEntry, stock: Stock) -> Stock:
    change = Change(currency=entry.currency, quantity=entry.change, usd=entry.usd, is_sale=entry.is_sale)
    stock, realised = after(stock, change)
    entry.stock, entry.stock_cost_usd, entry.realised_usd = stock.quantity, stock.cost, realised
    return stock
