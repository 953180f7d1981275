"""New trades become lots with one group each, or are skipped (rule 1, chapter 1).

The evidence of an entry is what executed: its trades, not its order.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Subquery

from exchange.core.bulk import rows_read
from exchange.core.database import QUERY_BATCH, chunks
from exchange.core.instrument_names import is_derivative
from exchange.core.reasons import Sentence, SyncReason, reason
from exchange.core.times import EPOCH, NS_PER_MS, from_ms, to_ms
from exchange.models import ExchangeOrder, Instrument, Trade
from exchange.schemas.market import SPOT
from exchange.services.lease import LeaseLost
from exchange.services.order_execution import create_blocked_reason
from oco.engine import lots
from oco.engine.lots import Fill, LotDraft
from oco.engine.pricing import ExitSide, Grid, leaves_unplaced, stop_of, target_of
from oco.engine.reason_codes import ReasonCode
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, ProtectionPolicy, Watermark
from oco.reconcile.context import CycleContext
from oco.reconcile.order_status import trades_follow
from oco.reconcile.prices import grid_of, rules_confirm
from oco.reconcile.trade_ownership import NewTrade, TradeOwnership, sales_classify

SELL = "SELL"
MAX_SALE_AGE = timedelta(days=1)  # an older sale, found late or too small until now, is not bought back
logger = logging.getLogger("exchange_sync")
CLOCK_TOLERANCE_NS = 1_000_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """The trades of one entry order that are in no lot yet."""

    order_id: str
    side: str
    instrument: Instrument
    grid: Grid
    policy: ProtectionPolicy
    trades: tuple[Fill, ...]
    first_seen_at: datetime

    @property
    def exit_side(self) -> ExitSide:
        return ExitSide.for_entry_side(self.side)


def watermark_set(*, context: CycleContext) -> int | None:
    """What executed before the first complete read is never protected automatically (rule 1).

    The exchange's clock is known to half a second. So the watermark is set a second early, and the trades of
    that second that the first read already shows are skipped one by one.
    """
    known = Watermark.objects.values_list("since_ns", flat=True).first()
    if known is not None or not context.can_add:
        return known
    started = context.reads.started_ns
    with transaction.atomic():
        context.lease.renew()
        row = Watermark.objects.create(since_ns=started - CLOCK_TOLERANCE_NS)
        early = Trade.objects.filter(create_time_ns__gte=row.since_ns, create_time_ns__lt=started)
        trades_assign(trade_ids=[trade.trade_id for trade in early], lot=None)
    return row.since_ns


def lot_open_all(*, context: CycleContext) -> list[Entry]:
    """A lot and a group for every entry that is large enough, up to five; then they are merged. Returns the entries
    that are too small.
    """
    context.new_groups.clear()
    since = watermark_set(context=context)
    if since is None or not context.reads.trades_read:
        return []
    found = run_isolated(context, partial(_confirmed_entries, context, since), "New trades")
    return [
        entry
        for entry in found or ()
        if run_isolated(
            context, partial(_waits, context, entry), f"{entry.instrument.symbol}: a new position"
        )
    ]


def _confirmed_entries(context: CycleContext, since_ns: int) -> list[Entry]:
    """The new entries; when the catalogue is why one would stay unprotected, by the catalogue as it is read now."""
    found = new_entries_read(context=context, since_ns=since_ns)
    unplaced = [entry for entry in found if _is_left_unplaced(entry)]
    not_spot = _protected_not_spot(context)
    seen = [*(entry.first_seen_at for entry in unplaced), *not_spot.values()]
    names = {entry.instrument.symbol for entry in unplaced} | not_spot.keys()
    is_news = any(at >= context.reads.started_at for at in seen)
    if rules_confirm(context=context, names=names, is_news=is_news):
        found = new_entries_read(context=context, since_ns=since_ns)
    for name in sorted(_protected_not_spot(context)):
        text = f"{name}: the exchange's list of instruments says that it is no spot pair, so it is not protected."
        context.errors.append(Sentence(text, SyncReason.NOT_SPOT, name=name))
    return found


def _protected_not_spot(context: CycleContext) -> dict[str, datetime]:
    return {name: at for name, at in context.not_spot.items() if is_protected(context.policies.of(name))}


def _is_left_unplaced(entry: Entry) -> bool:
    quantity = lots.net_quantity(entry.trades, entry.instrument.base_ccy)
    return is_protected(entry.policy) and leaves_unplaced(
        quantity, lots.average_price(entry.trades), entry.grid
    )


def run_isolated(context: CycleContext, act: Callable[[], T], what: str) -> T | None:
    """An entry that fails stops no other."""
    try:
        return act()
    except LeaseLost:
        raise
    except Exception:
        logger.exception("Exchange sync: %s could not be taken into protection", what)
        text = f"{what} could not be taken into protection."
        context.errors.append(Sentence(text, SyncReason.NOT_TAKEN, name=what))
        return None


def _waits(context: CycleContext, entry: Entry) -> bool:
    """Open a lot for the entry, or skip it; whether it is too small for either. A sixth lot waits until the five are
    merged.
    """
    if not is_protected(entry.policy):
        trades_skip(context=context, trades=entry.trades)
        return False
    found = draft_of_entry(entry)
    if found is None:
        return True
    others = Lot.objects.filter(
        entry_order_id=entry.order_id,
        instrument_name=entry.instrument.symbol,
        side=entry.side,
        closed_at=None,
    )
    if others.filter(merging=True).exists():
        return False
    if others.count() < lots.MAX_LOTS:
        group = lot_open(context=context, entry=entry, lot_draft=found)
        if entry.exit_side is ExitSide.SELL:
            context.new_groups[entry.instrument.symbol] = group
    elif not create_blocked_reason():
        others.update(merging=True)
    return False


def is_protected(policy: ProtectionPolicy) -> bool:
    """Whether new lots are opened under this policy."""
    return settings.AUTO_PROTECT and policy.enabled


def new_entries_read(*, context: CycleContext, since_ns: int) -> list[Entry]:
    """New buys of coins that are not cash, and sales of them for cash where the policy buys back, by entry order."""
    new = Trade.objects.filter(is_new=True, create_time_ns__gte=since_ns)
    rows = [NewTrade(*row) for row in rows_read(new.order_by("-create_time_ns", "-id"), NewTrade._fields)]
    corrected = [row.trade_id for row in rows if row.reports]
    if corrected:
        decided = trades_follow(context=context, trades=list(new.filter(trade_id__in=corrected)))
        rows = [row for row in rows if row.trade_id not in decided]
    if not rows:
        return []
    known = Instrument.objects.in_bulk({row.instrument_name for row in rows}, field_name="symbol")
    context.not_spot = _not_spot(rows, known)
    rows = [
        row for row in rows if row.instrument_name in known and row.instrument_name not in context.not_spot
    ]
    found = _by_order(_filter_entries(rows, known, context))
    return [_entry(key, trades, known, context) for key, trades in found.items()]


def _not_spot(rows: Sequence[NewTrade], known: dict[str, Instrument]) -> dict[str, datetime]:
    """Pairs by name that the catalogue calls something else, and when their newest trade was first seen. Their trades
    wait: another answer may say otherwise.
    """
    found: dict[str, datetime] = {}
    for row in rows:
        name = row.instrument_name
        if name in known and known[name].inst_type != SPOT and not is_derivative(name):
            found[name] = max(row.first_seen_at, found.get(name, row.first_seen_at))
    return found


def unknown_entries() -> list[str]:
    """Instruments of new trades that the catalogue does not contain: they cannot become lots until it does."""
    since = Watermark.objects.order_by().values("since_ns")[:1]
    fresh = Trade.objects.filter(is_new=True, create_time_ns__gte=Subquery(since))
    known = Instrument.objects.order_by().values("symbol")
    names = fresh.exclude(instrument_name__in=known).order_by().values_list("instrument_name", flat=True)
    return sorted(set(names))  # made distinct by the database, it walks all fills in the order of their names


def _filter_entries(
    rows: Sequence[NewTrade], known: dict[str, Instrument], context: CycleContext
) -> list[NewTrade]:
    """Those that are entries. What can never be one is not read again; an unclear sale is, in the next cycle."""
    candidates = [row for row in rows if not _is_not_entry(row, known[row.instrument_name], context)]
    ownership = sales_classify(sales=[row for row in candidates if row.side == SELL], context=context)
    for name in {
        row.instrument_name
        for row in candidates
        if ownership.get(row.trade_id) is TradeOwnership.UNRESOLVABLE
    }:
        text = f"{name}: a sale is not bought back, for the records do not tell whose it was."
        context.errors.append(Sentence(text, SyncReason.SALE_NOT_BOUGHT_BACK, name=name))
    context.has_unresolved_sales = TradeOwnership.UNRESOLVED in ownership.values()
    candidates = [
        row
        for row in candidates
        if ownership.get(row.trade_id) not in (TradeOwnership.OURS, TradeOwnership.UNRESOLVABLE)
    ]
    ignored = {row.trade_id for row in rows} - {row.trade_id for row in candidates}
    if ignored:
        with transaction.atomic():
            context.lease.renew()
            for part in chunks(sorted(ignored), QUERY_BATCH):
                Trade.objects.filter(trade_id__any_of=part).update(is_new=False)
    return [row for row in candidates if ownership.get(row.trade_id) is not TradeOwnership.UNRESOLVED]


def _is_not_entry(row: NewTrade, instrument: Instrument, context: CycleContext) -> bool:
    """Exchanging cash for cash is no entry, and perpetuals have no protection (chapter 1). A sale is an entry only
    for cash, if recent, and if its policy was on when it executed (rule 4).
    """
    cash = settings.CASH_CURRENCIES
    if instrument.inst_type != SPOT or instrument.base_ccy in cash:
        return True
    if row.side != SELL:
        return False
    since = context.policies.of(row.instrument_name, SELL).enabled_since
    if since is None or not settings.AUTO_PROTECT or instrument.quote_ccy not in cash:
        return True
    return row.create_time_ns < to_ms(max(since, context.started - MAX_SALE_AGE)) * NS_PER_MS


def _by_order(rows: Sequence[NewTrade]) -> dict[tuple[str, str, str], list[NewTrade]]:
    names, found = _primary_order_ids(rows), dict[tuple[str, str, str], list[NewTrade]]()
    for row in rows:
        key = names.get(row.order_id, row.order_id), row.instrument_name, row.side
        found.setdefault(key, []).append(row)
    return found


def _primary_order_ids(rows: Sequence[NewTrade]) -> dict[str, str]:
    """First id by second id: the fills of a triggered order may carry either (dossier 6.2)."""
    second, found = ExchangeOrder.objects.exclude(exchange_order_id=""), dict[str, str]()
    for part in chunks(sorted({row.order_id for row in rows}), QUERY_BATCH):
        named = second.filter(exchange_order_id__any_of=part)
        found |= dict(named.values_list("exchange_order_id", "order_id"))
    return found


def _entry(
    key: tuple[str, str, str],
    rows: Sequence[NewTrade],
    known: dict[str, Instrument],
    context: CycleContext,
) -> Entry:
    order_id, name, side = key
    grid = grid_of(known[name], context.reads.tickers)
    policy, fills = context.policies.of(name, side), tuple(map(_fill, rows))
    seen = max(row.first_seen_at for row in rows)
    return Entry(order_id, side, known[name], grid, policy, fills, seen)


def _fill(row: NewTrade) -> Fill:
    return Fill(
        trade_id=row.trade_id,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
        at_ns=row.create_time_ns,
        corrections=len(row.reports),
    )


def draft_of_entry(entry: Entry) -> LotDraft | None:
    """The lot of its trades; None while they are worth too little."""
    grid, policy = entry.grid, entry.policy
    stop_pct, minimum = policy.stop_pct, policy.minimum_value_usd
    if entry.exit_side is ExitSide.BUY:
        money = entry.instrument.quote_ccy
        return lots.lot_draft_of_sale(
            entry.trades, quote=money, grid=grid, stop_pct=stop_pct, minimum_usd=minimum
        )
    coin = entry.instrument.base_ccy
    return lots.lot_draft(entry.trades, base=coin, grid=grid, stop_pct=stop_pct, minimum_usd=minimum)


def lot_open(*, context: CycleContext, entry: Entry, lot_draft: LotDraft) -> OcoGroup:
    """Lot, trades and group in one transaction; the lot of a second worker fails on its first trade."""
    with transaction.atomic():
        context.lease.renew()
        lot = Lot.objects.create(
            **lot_fields(entry, lot_draft.unit_cost),
            first_trade_id=lot_draft.first_trade_id,
            bought=lot_draft.bought,
            dust=lot_draft.dust,
            average_price=lot_draft.average_price,
            entered_at=last_fill_time(lot_draft.trades),
            opened_at=context.now(),
        )
        trades_assign(trade_ids=[trade.trade_id for trade in lot_draft.trades], lot=lot)
        return group_open(context=context, lot=lot, policy=entry.policy, grid=entry.grid)


def lot_fields(entry: Entry, unit_cost: Decimal | None) -> dict[str, Any]:
    return {
        "entry_order_id": entry.order_id,
        "instrument_name": entry.instrument.symbol,
        "side": entry.side,
        "base_ccy": entry.instrument.base_ccy,
        "quote_ccy": entry.instrument.quote_ccy if entry.exit_side is ExitSide.BUY else "",
        "unit_cost": unit_cost,
    }


def group_open(
    *,
    context: CycleContext,
    lot: Lot,
    policy: ProtectionPolicy,
    grid: Grid,
    code: ReasonCode = ReasonCode.ENTRY_FILLED,
) -> OcoGroup:
    """The group of a lot, priced by the policy from the average of its entry (rule 3)."""
    average, now, exit_side = lot.average_price or Decimal(0), context.now(), lot.exit_side
    target = policy.target_pct and target_of(average, policy.target_pct, grid.price_tick, exit_side)
    group = OcoGroup.objects.create(
        lot=lot,
        generation=lot.first_generation,
        instrument_name=lot.instrument_name,
        quantity=lot.bought - lot.dust,
        entry_price=average,
        stop_price=stop_of(average, policy.stop_pct, grid.price_tick, exit_side),
        take_profit_price=target if target and target > 0 else None,
        entry_order_id=lot.entry_order_id,
        state_since=now,
        uncovered_since=now,
        created_at=now,
    )
    context.created_count += 1
    why = reason(
        code,
        side=exit_side,
        quantity=lot.bought,
        coin=lot.base_ccy,
        price=average,
    )
    OcoEvent.record(group=group, at=now, old="", reason=why, order_ids=[lot.entry_order_id])
    return group


def trades_skip(*, context: CycleContext, trades: Sequence[Fill]) -> None:
    """Not protected automatically, now or later: the trades count as older than the watermark (rule 1)."""
    with transaction.atomic():
        context.lease.renew()
        trades_assign(trade_ids=[trade.trade_id for trade in trades], lot=None)


def trades_assign(*, trade_ids: Sequence[str], lot: Lot | None) -> None:
    """Mark the trades as decided. A second time is a database error. Call it in a transaction."""
    LotTrade.objects.bulk_create(LotTrade(trade_id=trade_id, lot=lot) for trade_id in trade_ids)
    Trade.objects.filter(trade_id__in=trade_ids).update(is_new=False)


def last_fill_time(trades: Sequence[Fill]) -> datetime:
    return from_ms(max(trade.at_ns for trade in trades) // NS_PER_MS) if trades else EPOCH
