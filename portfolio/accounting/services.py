"""Stores the cost basis, and finds balance changes that no fill explains.

Each fill is entered once, in the order in which it was stored, so that history fetched backwards is taken in like
new fills. What follows an entry is recalculated from the stock before it, a bounded part in each cycle, until
nothing is behind: the result is that of all fills in exchange order.

Cash is compared as well: the other side of a trade counts like the coin itself. Derivatives are settled in dollars
without a trade that gives the amount, so dollars are not compared while one is open, and start anew after it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from msgspec.structs import asdict, replace

from exchange.core.bulk import rows_read, rows_update
from exchange.models import HistoryRange, Trade
from exchange.models.sync import Stream
from exchange.services.lease import Lease
from exchange.sync.fetch import AccountSnapshot
from exchange.sync.trades import reported_values
from portfolio.accounting.balance_drift import (
    SETTLE_LAG_NS,
    START_MARGIN_NS,
    ZERO,
    BalanceReading,
    Drift,
    DriftChange,
    add_execution,
    compare_reading,
    initial_drift,
    reset_baseline,
)
from portfolio.accounting.cost_basis import (
    EMPTY,
    Change,
    Fill,
    Stock,
    compute_changes,
    spot_pair,
)
from portfolio.accounting.cost_entries import (
    TRADE_COLUMNS,
    EntryRow,
    TradeRow,
    changes_of,
    entries_of,
    entries_of_trade,
    entry_rows,
    stock_before,
    write_calculated,
    write_entries,
)
from portfolio.accounting.valuation import USD, Prices, price_usd, value_position
from portfolio.models import BalanceChange, CoinDrift, CostCursor, CostEntry, PositionCost

DRIFT_FIELDS = Drift.__struct_fields__
Drifts = dict[str, Drift]
BATCH_SIZE = 500  # trades or entries per transaction
MAX_BATCHES = 10  # of each kind in one cycle
ChangedFill = tuple[int, str, Sequence[Change]]  # when, of what instrument, and what it changed


def drift_add_fills(*, fills: Iterable[ChangedFill], since_ns: int | None) -> None:
    """Add newly stored fills, each once; those from before `since_ns` are ignored."""
    fresh = [one for one in fills if since_ns is not None and one[0] > since_ns - START_MARGIN_NS]
    if not fresh or since_ns is None:
        return
    drifts = _load_drifts()
    for at_ns, instrument_name, changes in fresh:
        for change in changes:
            drift = drifts.get(change.currency) or Drift()
            drifts[change.currency] = add_execution(
                drift, at_ns=at_ns, quantity=change.quantity, since_ns=since_ns
            )
        if spot_pair(instrument_name) is None:
            drifts[USD] = reset_baseline(drifts.get(USD) or Drift())
    _save_drifts(drifts)


def drift_compare(
    *,
    snapshot: AccountSnapshot,
    cursor: CostCursor,
    prices: Prices,
    window_ns: tuple[int, int],
    lease: Lease,
    now: datetime,
) -> None:
    """Compare balances after a complete read between two moments of exchange time (`window`, ns).

    Every stored fill must be entered already. One query when nothing changed. While a range of trades is still to be
    fetched, nothing is compared.
    """
    readings = _readings(snapshot, prices, window_ns)
    if cursor.compared_since_ns is None:
        _start_comparing(readings, cursor, window_ns, lease)
        return
    drifts = dict.fromkeys(readings, Drift()) | _load_drifts()
    zero_readings = {
        one: _reading(ZERO, price_usd(one, prices), window_ns) for one in drifts if one not in readings
    }
    found = {
        one: compare_reading(drifts[one], reading) for one, reading in (readings | zero_readings).items()
    }
    if _has_derivatives(snapshot):
        found.pop(USD, None)
    changed_drifts = {one: drift for one, (drift, _) in found.items() if drift != drifts[one]}
    if changed_drifts and not _has_unread_history(cursor.compared_since_ns):
        drift_changes = [
            (one, each, (readings | zero_readings)[one]) for one, (_, each) in found.items() if each
        ]
        _store_changes(changed_drifts, drift_changes, lease, now)


def cost_update(*, lease: Lease) -> CostCursor | None:
    """Enter fills that are new to us, then recalculate coins that are behind. Two queries when there is nothing to do.

    Returns None while more fills wait to be entered: the next ones may be older, so nothing is recalculated.
    """
    cursor = CostCursor.objects.first() or CostCursor(rates_due=False, is_revised=True)
    if not cursor.is_revised:
        _revise(cursor, lease)
    for _ in range(MAX_BATCHES):
        rows = _new_rows(cursor.trade_pk)
        if rows:
            _store_entries(rows, cursor, lease)
        if len(rows) < BATCH_SIZE:
            break
    else:
        return None
    if cursor.is_behind:
        _catch_up(cursor, lease)
    return cursor


def entries_rate(*, trades: Sequence[Trade], cursor: CostCursor, lease: Lease) -> None:
    """Store the rates found for these trades, and enter them again at these; their coins are behind then."""
    entries = [entry for trade in trades for entry in entries_of_trade(trade)]
    with transaction.atomic():
        lease.renew()
        rates = [(trade.quote_usd, trade.fee_usd, trade.is_rated, trade.pk) for trade in trades]
        rows_update(Trade, ["quote_usd", "fee_usd", "is_rated"], rates)
        write_entries(entries, ["usd", "is_sale"])
        _mark_behind_from(entries)
        cursor.is_behind = cursor.is_behind or bool(entries)
        cursor.save()


def entries_correct(*, trades: Sequence[Trade]) -> None:
    """Enter fills again that the exchange reports otherwise now; their coins are behind then. Call it in the
    transaction that stores the fills.
    """
    cursor = CostCursor.objects.first() if trades else None
    entered = [trade for trade in trades if trade.pk <= cursor.trade_pk] if cursor else []
    if cursor is None or not entered:
        return
    old, new = _entries_by_key(_entries_of(entered)), _entries_by_key(chain(*map(entries_of_trade, entered)))
    for row in old.values():
        row.change, row.usd, row.is_sale = ZERO, ZERO, False
    entries = list((old | new).values())
    write_entries(entries, ["order_id", "instrument_name", "change", "usd", "is_sale"])
    _mark_behind_from(entries)
    drift_add_fills(fills=_corrections(entered), since_ns=cursor.compared_since_ns)
    cursor.is_behind, cursor.rates_due = True, True
    cursor.save()


def _entries_by_key(entries: Iterable[EntryRow]) -> dict[tuple[Any, ...], EntryRow]:
    return {(row.currency, row.at_ns, row.trade_id): row for row in entries}


def _corrections(trades: Iterable[Trade]) -> Iterator[ChangedFill]:
    """Each fill as it was reported before, taken back, and as it is now."""
    for trade in trades:
        now = {name: getattr(trade, name) for name in TRADE_COLUMNS}
        reported = reported_values(trade.reports[-1])
        old = now | {name: reported[name] for name in now.keys() & reported.keys()}
        taken_back = [replace(one, quantity=-one.quantity) for one in changes_of(tuple(old.values()))]
        yield old["create_time_ns"], old["instrument_name"], taken_back
        yield now["create_time_ns"], now["instrument_name"], changes_of(tuple(now.values()))


def _entries_of(trades: Sequence[Trade]) -> list[EntryRow]:
    return entry_rows(CostEntry.objects.filter(trade_id__in=[trade.trade_id for trade in trades]))


def _revise(cursor: CostCursor, lease: Lease) -> None:
    # Every coin again, from its first entry.
    with transaction.atomic():
        lease.renew()
        PositionCost.objects.update(behind_ns=0)
        cursor.is_revised = cursor.is_behind = True
        cursor.save()


def _readings(
    snapshot: AccountSnapshot, prices: Prices, window_ns: tuple[int, int]
) -> dict[str, BalanceReading]:
    # A coin that the exchange itself values at nothing has no known price.
    rows = snapshot.balance.value
    return {
        each.instrument_name: _reading(
            each.quantity, value_position(each, prices).price_usd or None, window_ns
        )
        for each in (rows.positions if rows else ())
    }


def _reading(quantity: Decimal, price: Decimal | None, window_ns: tuple[int, int]) -> BalanceReading:
    return BalanceReading(quantity=quantity, price_usd=price, from_ns=window_ns[0], until_ns=window_ns[1])


def _start_comparing(
    readings: Mapping[str, BalanceReading], cursor: CostCursor, window_ns: tuple[int, int], lease: Lease
) -> None:
    cursor.compared_since_ns = window_ns[1]
    traded = _recently_traded(window_ns[0] - SETTLE_LAG_NS)
    with transaction.atomic():
        lease.renew()
        _save_drifts(
            {one: initial_drift(reading, traded_ns=traded.get(one, 0)) for one, reading in readings.items()}
        )
        cursor.save()


def _recently_traded(since_ns: int) -> dict[str, int]:
    # By coin, its newest fill after that moment.
    rows = Trade.objects.filter(create_time_ns__gt=since_ns).order_by("create_time_ns")
    found = [(row.create_time_ns, fill_of(row)) for row in rows]
    return {change.currency: at_ns for at_ns, fill in found for change in compute_changes(fill, cash=())}


def fill_of(row: Trade) -> Fill:
    """What a stored trade executed."""
    return Fill(
        instrument_name=row.instrument_name,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
    )


def _has_derivatives(snapshot: AccountSnapshot) -> bool:
    rows = snapshot.positions.value if snapshot.positions else None
    return any(row.quantity for row in rows or ())


def _has_unread_history(since_ns: int) -> bool:
    waiting = HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=since_ns)
    return waiting.exists()


def _store_changes(
    changed_drifts: Drifts,
    drift_changes: Sequence[tuple[str, DriftChange, BalanceReading]],
    lease: Lease,
    now: datetime,
) -> None:
    with transaction.atomic():
        lease.renew()
        _save_drifts(changed_drifts)
        BalanceChange.objects.bulk_create(
            [
                BalanceChange(
                    currency=currency,
                    change=each.change,
                    since_ns=each.since_ns,
                    price_usd=reading.price_usd,
                    is_reversal=each.is_back,
                    recorded_at=now,
                )
                for currency, each, reading in drift_changes
            ]
        )


def _load_drifts() -> Drifts:
    rows = CoinDrift.objects.values_list("currency", *DRIFT_FIELDS)
    return {currency: Drift(**dict(zip(DRIFT_FIELDS, values, strict=True))) for currency, *values in rows}


def _save_drifts(drifts: Drifts) -> None:
    CoinDrift.objects.bulk_create(
        [CoinDrift(currency=currency, **asdict(drift)) for currency, drift in drifts.items()],
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=DRIFT_FIELDS,
    )


def _new_rows(trade_pk: int) -> list[TradeRow]:
    return rows_read(Trade.objects.filter(pk__gt=trade_pk).order_by("pk")[:BATCH_SIZE], TRADE_COLUMNS)


def _store_entries(rows: Sequence[TradeRow], cursor: CostCursor, lease: Lease) -> None:
    # The entries, what is behind because of them, and the cursor: in one transaction.
    changed = [(row, changes_of(row)) for row in rows]
    entries = [entry for row, changes in changed for entry in entries_of(row, changes)]
    cursor.trade_pk = rows[-1][0]
    cursor.rates_due = cursor.rates_due or any(None in row[-2:] for row in rows)
    with transaction.atomic():
        lease.renew()
        is_behind = _enter(entries)
        cursor.is_behind = cursor.is_behind or is_behind
        fills = [(row[1], row[4], changes) for row, changes in changed]
        drift_add_fills(fills=fills, since_ns=cursor.compared_since_ns)
        cursor.save()


def _enter(entries: Sequence[EntryRow]) -> bool:
    """Store new entries. Those of a coin that nothing follows are calculated at once; other coins are behind then.
    Whether any is.
    """
    if not entries:
        return False
    by_coin: dict[str, list[EntryRow]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.at_ns, entry.trade_id)):
        by_coin[entry.currency].append(entry)
    later = CostEntry.objects.filter(
        currency=OuterRef("currency"), at_ns__gte=min(entry.at_ns for entry in entries)
    )
    costs = _costs_of(by_coin, PositionCost.objects.annotate(has_later=Exists(later)))
    for currency, own in by_coin.items():
        cost = costs[currency]
        is_up_to_date = cost.pk is None or (cost.behind_ns is None and cost.cost_usd is not None)
        if is_up_to_date and not (cost.pk and cost.has_later):
            stock = Stock(cost.quantity, cost.cost_usd or ZERO, cost.uncosted)
            for entry in own:
                stock = entry.calculate(stock)
            _set_stock(cost, stock)
        else:
            _mark_behind(cost, own[0].at_ns)
    write_entries(entries, ())
    _save_costs(costs.values())
    return any(cost.behind_ns is not None for cost in costs.values())


def _costs_of(currencies: Iterable[str], known: QuerySet[Any]) -> dict[str, Any]:
    """By coin, also of one that had no fill yet."""
    new = {one: PositionCost(currency=one, quantity=EMPTY.quantity) for one in currencies}
    return new | {row.currency: row for row in known.filter(currency__in=list(new))}


def _mark_behind(cost: PositionCost, at_ns: int) -> None:
    cost.behind_ns = at_ns if cost.behind_ns is None else min(at_ns, cost.behind_ns)


def _mark_behind_from(entries: Sequence[EntryRow]) -> None:
    costs = _costs_of({entry.currency for entry in entries}, PositionCost.objects.all())
    for entry in entries:
        _mark_behind(costs[entry.currency], entry.at_ns)
    _save_costs(costs.values())


def _set_stock(cost: PositionCost, stock: Stock) -> None:
    cost.quantity, cost.cost_usd, cost.uncosted = stock.quantity, stock.cost, stock.uncosted


def _save_costs(costs: Iterable[PositionCost]) -> None:
    PositionCost.objects.bulk_create(
        costs,
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=["quantity", "cost_usd", "uncosted", "behind_ns"],
    )


def _catch_up(cursor: CostCursor, lease: Lease) -> None:
    left, behind = MAX_BATCHES, list(PositionCost.objects.filter(behind_ns__isnull=False))
    while left and behind:
        with transaction.atomic():
            lease.renew()
            left -= _recalculate_some(behind, left)
    if left:
        cursor.is_behind = False
        cursor.save(update_fields=["is_behind"])


def _recalculate_some(behind: list[PositionCost], most: int) -> int:
    """At most `most` parts of coins, about `BATCH_SIZE` entries; how many parts. A coin that is done is taken out."""
    parts, seen = 0, 0
    changed, rows = list[EntryRow](), dict[str, PositionCost]()
    while behind and parts < most and seen < BATCH_SIZE:
        row = rows[behind[0].currency] = behind[0]
        entries, recalculated = _recalculate(row, row.behind_ns or 0)
        parts, seen, changed = parts + 1, seen + entries, changed + recalculated
        if row.behind_ns is None:
            behind.pop(0)
    write_calculated(changed)
    _save_costs(rows.values())
    return parts


def _recalculate(row: PositionCost, behind_ns: int) -> tuple[int, list[EntryRow]]:
    """The next part of one coin; entries of the same instant stay together. How many, and those that change."""
    entries = _next_batch(CostEntry.objects.filter(currency=row.currency, at_ns__gte=behind_ns))
    stock = stock_before(row.currency, behind_ns)
    changed = []
    for entry in entries:
        before = entry.calculated
        stock = entry.calculate(stock)
        if entry.calculated != before:
            changed.append(entry)
    _set_stock(row, stock)
    row.behind_ns = entries[-1].at_ns + 1 if len(entries) >= BATCH_SIZE else None
    return len(entries), changed


def _next_batch(entries: QuerySet[CostEntry]) -> list[EntryRow]:
    ordered = entries.order_by("at_ns", "trade_id")
    batch = entry_rows(ordered[:BATCH_SIZE])
    return entry_rows(ordered.filter(at_ns__lte=batch[-1].at_ns)) if len(batch) == BATCH_SIZE else batch
