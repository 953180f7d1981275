"""An entry with too many lots gets one lot instead of them (protection chapter 1, Group)."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from exchange.models import Instrument
from oco.engine import lots
from oco.engine.lots import LotDraft, merged_price, net_quantity
from oco.engine.pricing import ExitSide, round_to_lot_size, stop_of, unit_cost_of
from oco.models import Lot, LotTrade, OcoGroup, Watermark
from oco.reconcile.context import CycleContext
from oco.reconcile.entries import (
    Entry,
    group_open,
    last_fill_time,
    lot_fields,
    new_entries_read,
    trades_assign,
)
from oco.reconcile.prices import grid_of

Key = tuple[str, str, str]


def lot_merge_all(*, context: CycleContext) -> int:
    """Where every order of the old lots has ended, one lot takes over all that they own. Returns how many merged.

    Without a new trade after all, each of the old lots continues alone.
    """
    since = Watermark.objects.values_list("since_ns", flat=True).first()
    merging = list(Lot.objects.filter(merging=True, closed_at=None).order_by("opened_at", "pk"))
    if since is None or not merging:
        return 0
    new = {_key(entry): entry for entry in new_entries_read(context=context, since_ns=since)}
    by_key: dict[Key, list[Lot]] = defaultdict(list)
    for lot in merging:
        by_key[lot.entry_order_id, lot.instrument_name, lot.side].append(lot)
    ended = {key: old for key, old in by_key.items() if not _has_open_groups(old)}
    for key, old in ended.items():
        if key in new:
            lot_merge(context=context, old=old, entry=new[key])
        else:
            lots_unmerge(context=context, old=old)
    return len(ended)


def _key(entry: Entry) -> Key:
    return entry.order_id, entry.instrument.symbol, entry.side


def _has_open_groups(old: Sequence[Lot]) -> bool:
    return OcoGroup.objects.filter(lot__in=old, closed_at=None).exists()


def lots_unmerge(*, context: CycleContext, old: Sequence[Lot]) -> None:
    """Undo the merge: each lot that owns something gets a group again, with new client_oids."""
    for lot in old:
        instrument = Instrument.objects.get(symbol=lot.instrument_name)
        with transaction.atomic():
            context.lease.renew()
            lot.merging, lot.first_generation = False, _last_generation([lot])
            lot.closed_at = None if lot.owned else context.now()
            lot.save(update_fields=["merging", "first_generation", "closed_at"])
            if lot.owned:
                policy = context.policies.of(lot.instrument_name, lot.side)
                group_open(
                    context=context, lot=lot, policy=policy, grid=grid_of(instrument, context.reads.tickers)
                )


def _last_generation(old: Sequence[Lot]) -> int:
    last: int = OcoGroup.objects.filter(lot__in=old).aggregate(last=Max("generation"))["last"]
    return last


def lot_merge(*, context: CycleContext, old: Sequence[Lot], entry: Entry) -> OcoGroup:
    """The new lot owns what the old ones still own and the trades that were waiting."""
    merged = _merged(old, entry)
    with transaction.atomic():
        context.lease.renew()
        lot = Lot.objects.create(
            **lot_fields(entry, merged.unit_cost),
            first_trade_id=old[0].first_trade_id,
            first_generation=_last_generation(old),
            bought=merged.bought,
            dust=merged.dust,
            average_price=merged.average_price,
            entered_at=last_fill_time(entry.trades),
            opened_at=context.now(),
        )
        _transfer_trades(old, lot, entry, context)
        return group_open(context=context, lot=lot, policy=entry.policy, grid=entry.grid)


def _merged(old: Sequence[Lot], entry: Entry) -> LotDraft:
    """All that the old lots own and the new trades add; after a sale, what all that money buys back at worst."""
    parts = [(lot.owned, lot.average_price or lot.owned) for lot in old]
    new_quantity = _new_quantity(entry)
    average = merged_price([*parts, (new_quantity, lots.average_price(entry.trades))])
    total, tick = sum((lot.owned for lot in old), new_quantity), entry.grid.price_tick
    if entry.exit_side is ExitSide.SELL:
        whole = round_to_lot_size(total, entry.grid.quantity_tick)
        return LotDraft(trades=entry.trades, bought=total, dust=total - whole, average_price=average)
    money = sum(
        (lot.owned * lot.spent_per_coin for lot in old),
        lots.proceeds(entry.trades, entry.instrument.quote_ccy),
    )
    cost = unit_cost_of(stop_of(average, entry.policy.stop_pct, tick, ExitSide.BUY), tick)
    whole = round_to_lot_size(min(total, money / cost), entry.grid.quantity_tick)
    return LotDraft(trades=entry.trades, bought=whole, dust=Decimal(0), average_price=average, unit_cost=cost)


def _new_quantity(entry: Entry) -> Decimal:
    """What the new trades bought, or sold, in coins."""
    if entry.exit_side is ExitSide.SELL:
        return net_quantity(entry.trades, entry.instrument.base_ccy)
    return lots.executed(entry.trades)


def _transfer_trades(old: Sequence[Lot], new: Lot, entry: Entry, context: CycleContext) -> None:
    LotTrade.objects.filter(lot__in=old).update(lot=new)
    trades_assign(trade_ids=[trade.trade_id for trade in entry.trades], lot=new)
    for lot in old:
        lot.gone += lot.owned
        lot.merged_into, lot.closed_at = new, context.now()
        lot.save(update_fields=["gone", "merged_into", "closed_at"])
