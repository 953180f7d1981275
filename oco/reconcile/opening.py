"""A lot and its group are opened: trades, quantity, prices, all in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from exchange.core.utils import EPOCH, NS_PER_MS, from_ms
from exchange.models import Trade
from oco.engine import lots
from oco.engine.lots import Draft, Fill
from oco.engine.pricing import Grid, Way, stop_of, target_of
from oco.models.event import OcoEvent
from oco.models.group import OcoGroup
from oco.models.lot import Lot, LotTrade
from oco.models.policy import ProtectionPolicy
from oco.reconcile.entry import Entry
from oco.reconcile.watch import Watch


def draft_of(entry: Entry) -> Draft | None:
    """The lot of its trades; None while they are too little."""
    grid, policy = entry.grid, entry.policy
    stop_pct, minimum = policy.stop_pct, policy.minimum_value_usd
    if entry.way is Way.BUYS:
        money = entry.instrument.quote_ccy
        return lots.draft_of_sale(
            entry.trades, quote=money, grid=grid, stop_pct=stop_pct, minimum_usd=minimum
        )
    coin = entry.instrument.base_ccy
    return lots.draft(entry.trades, base=coin, grid=grid, stop_pct=stop_pct, minimum_usd=minimum)


def lot_open(*, watch: Watch, entry: Entry, draft: Draft) -> OcoGroup:
    """Lot, trades and group in one transaction; a second worker's lot fails on the first trade."""
    with transaction.atomic():
        watch.held.renew()
        lot = Lot.objects.create(
            **lot_names(entry, draft.unit_cost),
            first_trade_id=draft.first_trade_id,
            bought=draft.bought,
            dust=draft.dust,
            average_price=draft.average_price,
            entered_at=last_of(draft.trades),
            opened_at=watch.now(),
        )
        trades_take(trade_ids=[trade.trade_id for trade in draft.trades], lot=lot)
        return group_open(watch=watch, lot=lot, policy=entry.policy, grid=entry.grid)


def lot_names(entry: Entry, unit_cost: Decimal | None) -> dict[str, Any]:
    """What a lot is of, and which way its orders go."""
    return {
        "entry_order_id": entry.order_id,
        "instrument_name": entry.instrument.symbol,
        "side": entry.side,
        "base_ccy": entry.instrument.base_ccy,
        "quote_ccy": entry.instrument.quote_ccy if entry.way is Way.BUYS else "",
        "unit_cost": unit_cost,
    }


def group_open(*, watch: Watch, lot: Lot, policy: ProtectionPolicy, grid: Grid) -> OcoGroup:
    """The group of a lot, priced by the policy from the average of its entry (rule 3)."""
    average, now = lot.average_price or Decimal(0), watch.now()
    target = policy.target_pct and target_of(average, policy.target_pct, grid.price_tick, lot.way)
    group = OcoGroup.objects.create(
        lot=lot,
        generation=lot.first_generation,
        instrument_name=lot.instrument_name,
        quantity=lot.bought - lot.dust,
        entry_price=average,
        stop_price=stop_of(average, policy.stop_pct, grid.price_tick, lot.way),
        take_profit_price=target if target and target > 0 else None,
        entry_order_id=lot.entry_order_id,
        state_since=now,
        uncovered_since=now,
        created_at=now,
    )
    watch.created += 1
    OcoEvent.objects.create(
        group=group, at=now, new=group.state, reason=_began(lot, average), order_ids=[lot.entry_order_id]
    )
    return group


def _began(lot: Lot, average: Decimal) -> str:
    if lot.way is Way.SELLS:
        return f"{lot.bought} {lot.base_ccy} came in at {average:f}."
    return f"{lot.base_ccy} was sold at {average:f}: what that brought buys {lot.bought} back."


def trades_pass_over(*, watch: Watch, trades: Sequence[Fill]) -> None:
    """Nothing is to be protected by itself now, nor later: the trades count as from before (rule 1)."""
    with transaction.atomic():
        watch.held.renew()
        trades_take(trade_ids=[trade.trade_id for trade in trades], lot=None)


def trades_take(*, trade_ids: Sequence[str], lot: Lot | None) -> None:
    """These trades count as decided, once: a second time is a database error. Call it in a transaction."""
    LotTrade.objects.bulk_create(LotTrade(trade_id=trade_id, lot=lot) for trade_id in trade_ids)
    Trade.objects.filter(trade_id__in=trade_ids).update(is_new=False)


def last_of(trades: Sequence[Fill]) -> datetime:
    return from_ms(max(trade.at_ns for trade in trades) // NS_PER_MS) if trades else EPOCH
