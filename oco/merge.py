"""More lots of one entry than groups are allowed become one (protection chapter 1, Group)."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from oco import lots
from oco.entries import Entry, entries_new, group_open, last_of, trades_take
from oco.lots import merged_price, net_quantity
from oco.models import Lot, LotTrade, OcoGroup, Watermark
from oco.pricing import whole_lots
from oco.watch import Watch


def lot_merge_all(*, watch: Watch) -> int:
    """Where every order of the old lots has ended, one lot takes over all that they own; how many did."""
    since = Watermark.objects.values_list("since_ns", flat=True).first()
    merging = list(Lot.objects.filter(merging=True, closed_at=None).order_by("opened_at", "pk"))
    if since is None or not merging:
        return 0
    new = {entry.order_id: entry for entry in entries_new(watch=watch, since_ns=since)}
    done = 0
    for order_id in {lot.entry_order_id for lot in merging}:
        old = [lot for lot in merging if lot.entry_order_id == order_id]
        ended = not OcoGroup.objects.filter(lot__in=old, closed_at=None).exists()
        if ended and order_id in new:
            lot_merge(watch=watch, old=old, entry=new[order_id])
            done += 1
    return done


def lot_merge(*, watch: Watch, old: Sequence[Lot], entry: Entry) -> OcoGroup:
    """The new lot owns what the old ones still own and the trades that were waiting."""
    bought = net_quantity(entry.trades, entry.instrument.base_ccy)
    parts = [(lot.owned, lot.average_price or lot.owned) for lot in old]
    parts.append((bought, lots.average_price(entry.trades)))
    total = sum((quantity for quantity, _ in parts), Decimal(0))
    whole = whole_lots(total, entry.grid.quantity_tick)
    last = OcoGroup.objects.filter(lot__in=old).aggregate(last=Max("generation"))["last"]
    with transaction.atomic():
        watch.held.renew()
        lot = Lot.objects.create(
            entry_order_id=entry.order_id,
            instrument_name=entry.instrument.symbol,
            base_ccy=entry.instrument.base_ccy,
            first_trade_id=old[0].first_trade_id,
            first_generation=last,
            bought=total,
            dust=total - whole,
            average_price=merged_price(parts),
            entered_at=last_of(entry.trades),
            opened_at=watch.now(),
        )
        _take_over(old, lot, entry, watch)
        return group_open(watch=watch, lot=lot, policy=entry.policy, grid=entry.grid)


def _take_over(old: Sequence[Lot], new: Lot, entry: Entry, watch: Watch) -> None:
    LotTrade.objects.filter(lot__in=old).update(lot=new)
    trades_take(trade_ids=[trade.trade_id for trade in entry.trades], lot=new)
    for lot in old:
        lot.gone += lot.owned
        lot.merged_into, lot.closed_at = new, watch.now()
        lot.save(update_fields=["gone", "merged_into", "closed_at"])
