"""Keeps what the coins have cost: enters new trades, and reckons a coin again from where an earlier one came in.

Each trade is entered once, in the order in which it was stored, so that a history read backwards while the
desk runs is taken in like any other news. What follows an entry is reckoned from the stock before it, a
bounded part in each cycle, until nothing is behind: the result is that of all trades in their own order.

Keeps for each coin what trades brought since the desk looks, and tells what came or went without one.

Cash is compared as well: a trade's other side is counted like the coin itself. Derivatives are settled in dollars
without a trade that says how much, so dollars are not compared while one is open, and are learnt again after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from exchange.models import HistoryRange, Trade
from exchange.models.sync import Stream
from exchange.services.lease import Held
from exchange.sync.fetch import Snapshot
from portfolio.accounting.balance_drift import (
    LAG_NS,
    NEAR_NS,
    ZERO,
    Drift,
    Look,
    News,
    begun,
    compared,
    counted,
    learnt_again,
)
from portfolio.accounting.cost_basis import EMPTY, Change, Fill, Stock, after, changes_of, spot_pair
from portfolio.accounting.valuation import USD, Prices, price_usd, worth_of
from portfolio.alerts.balance_changes import drift_tell
from portfolio.models import CoinDrift, CostCursor, CostEntry, PositionCost

NAMES = [one.name for one in fields(Drift)]
Drifts = dict[str, Drift]
Timed = tuple[int, Fill]


def drift_count(*, fills: Iterable[Timed], since_ns: int | None) -> None:
    """Executions that came to light, each once, with its nanosecond; nothing before the first look, `since_ns`.

    A history that is read backwards changes nothing.
    """
    fresh = [one for one in fills if since_ns is not None and one[0] > since_ns - NEAR_NS]
    if not fresh or since_ns is None:
        return
    drifts = _read()
    for at_ns, fill in fresh:
        for change in changes_of(fill, cash=()):
            drift = drifts.get(change.currency) or Drift()
            drifts[change.currency] = counted(drift, at_ns=at_ns, quantity=change.quantity, since_ns=since_ns)
        if spot_pair(fill.instrument_name) is None:
            drifts[USD] = learnt_again(drifts.get(USD) or Drift())
    _write(drifts)


def drift_look(
    *,
    snapshot: Snapshot,
    cursor: CostCursor,
    prices: Prices,
    span: tuple[int, int],
    held: Held,
    now: datetime,
) -> None:
    """After a complete read between two moments of the exchange's time (`span`, ns), when every stored trade was
    counted. One statement when nothing moved. While a stretch of trades is still to be read nothing is compared.
    """
    looks = _looks(snapshot, prices, span)
    if cursor.compared_since_ns is None:
        _begin(looks, cursor, span, held)
        return
    drifts = dict.fromkeys(looks, Drift()) | _read()
    nothing = {one: _look(ZERO, price_usd(one, prices), span) for one in drifts if one not in looks}
    found = {one: compared(drifts[one], look) for one, look in (looks | nothing).items()}
    if _has_derivatives(snapshot):
        found.pop(USD, None)
    moved = {one: drift for one, (drift, _) in found.items() if drift != drifts[one]}
    if moved and not _is_unread(cursor.compared_since_ns):
        news = [(one, each, (looks | nothing)[one]) for one, (_, each) in found.items() if each]
        _record(moved, news, held, now)


def _looks(snapshot: Snapshot, prices: Prices, span: tuple[int, int]) -> dict[str, Look]:
    """A coin that the exchange itself counts for nothing has no known price."""
    rows = snapshot.balance.rows
    return {
        each.instrument_name: _look(each.quantity, worth_of(each, prices).price_usd or None, span)
        for each in (rows.positions if rows else ())
    }


def _look(quantity: Decimal, price: Decimal | None, span: tuple[int, int]) -> Look:
    return Look(quantity=quantity, price_usd=price, from_ns=span[0], until_ns=span[1])


def _begin(looks: Mapping[str, Look], cursor: CostCursor, span: tuple[int, int], held: Held) -> None:
    """What is held is known from now on."""
    cursor.compared_since_ns = span[1]
    traded = _just_traded(span[0] - LAG_NS)
    with transaction.atomic():
        held.renew()
        _write({one: begun(look, traded_ns=traded.get(one, 0)) for one, look in looks.items()})
        cursor.save()


def _just_traded(since_ns: int) -> dict[str, int]:
    """By coin its newest execution after that."""
    rows = Trade.objects.filter(create_time_ns__gt=since_ns).order_by("create_time_ns")
    found = [(row.create_time_ns, _drift_fill(row)) for row in rows]
    return {change.currency: at_ns for at_ns, fill in found for change in changes_of(fill, cash=())}


def _drift_fill(row: Trade) -> Fill:
    return Fill(
        instrument_name=row.instrument_name,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
    )


def _has_derivatives(snapshot: Snapshot) -> bool:
    rows = snapshot.positions.rows if snapshot.positions else None
    return any(row.quantity for row in rows or ())


def _is_unread(since_ns: int) -> bool:
    waiting = HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=since_ns)
    return waiting.exists()


def _record(moved: Drifts, news: Sequence[tuple[str, News, Look]], held: Held, now: datetime) -> None:
    """What is known now and what is told of it, together."""
    with transaction.atomic():
        held.renew()
        _write(moved)
        for currency, each, look in news:
            drift_tell(currency=currency, news=each, price_usd=look.price_usd, now=now)


def _read() -> Drifts:
    rows = CoinDrift.objects.values_list("currency", *NAMES)
    return {currency: Drift(**dict(zip(NAMES, values, strict=True))) for currency, *values in rows}


def _write(drifts: Drifts) -> None:
    CoinDrift.objects.bulk_create(
        [CoinDrift(currency=currency, **asdict(drift)) for currency, drift in drifts.items()],
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=NAMES,
    )


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
        drift_count(fills=[(row[1], _cost_fill(row)) for row in rows], since_ns=cursor.compared_since_ns)
        cursor.save()


def _changes(row: Row) -> Iterable[Change]:
    return changes_of(_cost_fill(row), cash=settings.CASH_CURRENCIES)


def _cost_fill(row: Row) -> Fill:
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
