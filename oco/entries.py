"""New trades become lots with a group each, or are passed over (rule 1, chapter 1)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from exchange.models import ExchangeOrder, Instrument, Trade
from exchange.roles import base_of
from exchange.services import LeaseLost
from exchange.times import EPOCH, NS_PER_MS, from_ms
from oco import lots
from oco.lots import Bought, Draft
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, ProtectionPolicy, Watermark
from oco.policies import Policies, policies_read
from oco.prices import grid_of
from oco.pricing import Grid, stop_of, target_of
from oco.watch import Watch

logger = logging.getLogger("exchange_sync")
SPOT = "CCY_PAIR"
CLOCK_DOUBT_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """The trades of one entry order that no lot has yet."""

    order_id: str
    instrument: Instrument
    grid: Grid
    policy: ProtectionPolicy
    trades: tuple[Bought, ...]


def watermark_set(*, watch: Watch) -> int | None:
    """Nothing that executed before the first complete read is ever acted on by itself (rule 1).

    The exchange's clock is known to half a second. So the mark is set a second early, and what the first
    read already shows from before its own start is passed over by name.
    """
    known = Watermark.objects.values_list("since_ns", flat=True).first()
    if known is not None or not watch.facts.can_add:
        return known
    started = watch.facts.started_ns
    with transaction.atomic():
        watch.held.renew()
        row = Watermark.objects.create(since_ns=started - CLOCK_DOUBT_NS)
        early = Trade.objects.filter(create_time_ns__gte=row.since_ns, create_time_ns__lt=started)
        trades_take(trade_ids=[trade.trade_id for trade in early], lot=None)
    return row.since_ns


def lot_open_all(*, watch: Watch) -> None:
    """A lot and a group for every entry that is large enough, up to five; then they are merged."""
    since = watermark_set(watch=watch)
    if since is None or not watch.facts.trades_read:
        return
    never_entries_decide(since_ns=since)
    for entry in entries_new(watch=watch, since_ns=since):
        try:
            _take(watch, entry)
        except LeaseLost:
            raise
        except Exception:
            logger.exception("Exchange sync: entry %s could not be taken into protection", entry.order_id)
            watch.errors.append(
                f"{entry.instrument.symbol}: a new position could not be taken into protection."
            )


def never_entries_decide(*, since_ns: int) -> None:
    """Buying cash is no entry, and perpetuals have no protection yet: they are not looked at again (chapter 1)."""
    bought = Trade.objects.filter(is_new=True, side="BUY", create_time_ns__gte=since_ns)
    names = set(bought.values_list("instrument_name", flat=True))
    never = Instrument.objects.filter(Q(base_ccy__in=settings.CASH_CURRENCIES) | ~Q(inst_type=SPOT))
    decided = set(never.filter(symbol__in=names).values_list("symbol", flat=True)) if names else set()
    if decided:
        bought.filter(instrument_name__in=decided).update(is_new=False)


def entries_new(*, watch: Watch, since_ns: int) -> list[Entry]:
    """Executed buys of something that is not cash, by entry order; the evidence is what executed."""
    bought = Trade.objects.filter(is_new=True, side="BUY", create_time_ns__gte=since_ns)
    rows = [row for row in bought if base_of(row.instrument_name) not in settings.CASH_CURRENCIES]
    if not rows:
        return []
    instruments = _spot({row.instrument_name for row in rows})
    names, policies = _first_ids(rows), policies_read()
    by_order: dict[tuple[str, str], list[Trade]] = {}
    for row in rows:
        if row.instrument_name in instruments:
            key = names.get(row.order_id, row.order_id), row.instrument_name
            by_order.setdefault(key, []).append(row)
    return [_entry(key, rows, instruments, policies, watch) for key, rows in by_order.items()]


def _entry(
    key: tuple[str, str],
    rows: Sequence[Trade],
    known: dict[str, Instrument],
    policies: Policies,
    watch: Watch,
) -> Entry:
    order_id, name = key
    grid = grid_of(known[name], watch.facts.tickers)
    return Entry(order_id, known[name], grid, policies.of(name), tuple(map(_bought, rows)))


def _spot(names: set[str]) -> dict[str, Instrument]:
    """Perpetuals and their like have no protection yet: they are shown as positions."""
    return {row.symbol: row for row in Instrument.objects.filter(symbol__in=names, inst_type=SPOT)}


def _first_ids(rows: Sequence[Trade]) -> dict[str, str]:
    """A triggered order's fills may carry its second id: here it is named by the first (dossier 6.2)."""
    ids = {row.order_id for row in rows}
    orders = ExchangeOrder.objects.filter(exchange_order_id__in=ids)
    return dict(orders.values_list("exchange_order_id", "order_id"))


def _bought(row: Trade) -> Bought:
    return Bought(
        trade_id=row.trade_id,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
        at_ns=row.create_time_ns,
    )


def _take(watch: Watch, entry: Entry) -> None:
    """Too little waits for the next trades; a sixth lot waits until the five are one."""
    if not settings.AUTO_PROTECT or not entry.policy.enabled:
        trades_pass_over(watch=watch, trades=entry.trades)
        return
    found = lots.draft(
        entry.trades,
        base=entry.instrument.base_ccy,
        grid=entry.grid,
        stop_pct=entry.policy.stop_pct,
        minimum_usd=entry.policy.minimum_value_usd,
    )
    if found is None:
        return
    others = Lot.objects.filter(
        entry_order_id=entry.order_id, instrument_name=entry.instrument.symbol, closed_at=None
    )
    if others.filter(merging=True).exists():
        return
    if others.count() < lots.MOST:
        lot_open(watch=watch, entry=entry, draft=found)
    elif not watch.no_create:
        others.update(merging=True)


def lot_open(*, watch: Watch, entry: Entry, draft: Draft) -> OcoGroup:
    """Lot, trades and group in one transaction; a second worker's lot fails on the first trade."""
    with transaction.atomic():
        watch.held.renew()
        lot = Lot.objects.create(
            entry_order_id=entry.order_id,
            instrument_name=entry.instrument.symbol,
            base_ccy=entry.instrument.base_ccy,
            first_trade_id=draft.first_trade_id,
            bought=draft.bought,
            dust=draft.dust,
            average_price=draft.average_price,
            entered_at=last_of(draft.trades),
            opened_at=watch.now(),
        )
        trades_take(trade_ids=[trade.trade_id for trade in draft.trades], lot=lot)
        return group_open(watch=watch, lot=lot, policy=entry.policy, grid=entry.grid)


def group_open(*, watch: Watch, lot: Lot, policy: ProtectionPolicy, grid: Grid) -> OcoGroup:
    """The group of a bought lot, priced by the policy from what was paid on average (rule 3)."""
    average, now = lot.average_price or Decimal(0), watch.now()
    target = policy.target_pct and target_of(average, policy.target_pct, grid.price_tick)
    group = OcoGroup.objects.create(
        lot=lot,
        generation=lot.first_generation,
        instrument_name=lot.instrument_name,
        quantity=lot.bought - lot.dust,
        entry_price=average,
        stop_price=stop_of(average, policy.stop_pct, grid.price_tick),
        take_profit_price=target,
        entry_order_id=lot.entry_order_id,
        state_since=now,
        uncovered_since=now,
        created_at=now,
    )
    watch.created += 1
    OcoEvent.objects.create(
        group=group,
        at=now,
        new=group.state,
        reason=f"{lot.bought} {lot.base_ccy} came in at {average:f}.",
        order_ids=[lot.entry_order_id],
    )
    return group


def trades_pass_over(*, watch: Watch, trades: Sequence[Bought]) -> None:
    """Nothing is to be protected by itself now, nor later: the trades count as from before (rule 1)."""
    with transaction.atomic():
        watch.held.renew()
        trades_take(trade_ids=[trade.trade_id for trade in trades], lot=None)


def trades_take(*, trade_ids: Sequence[str], lot: Lot | None) -> None:
    """These trades count as decided, once: a second time is a database error. Call it in a transaction."""
    LotTrade.objects.bulk_create(LotTrade(trade_id=trade_id, lot=lot) for trade_id in trade_ids)
    Trade.objects.filter(trade_id__in=trade_ids).update(is_new=False)


def last_of(trades: Sequence[Bought]) -> datetime:
    return from_ms(max(trade.at_ns for trade in trades) // NS_PER_MS) if trades else EPOCH
