"""Lots that become one: the lots of an entry that has too many, and what is too small for an order with the next lot
of its instrument (protection chapter 1, Lot and Group).
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from django.db import transaction
from django.db.models import Max

from exchange.core.reasons import reason
from exchange.core.times import to_ms
from exchange.models import Instrument
from oco.engine import lots
from oco.engine.allocation import ExternalReservation
from oco.engine.lots import LotDraft, merged_price, net_quantity
from oco.engine.pricing import ExitSide, round_to_lot_size, stop_of, unit_cost_of
from oco.engine.reason_codes import ReasonCode
from oco.models import POSSIBLY_OPEN, Lot, LotTrade, OcoGroup, OcoLeg, Watermark
from oco.reconcile.allocation import allocations_read
from oco.reconcile.context import CycleContext, LotAllocation
from oco.reconcile.entries import (
    Entry,
    group_open,
    is_protected,
    last_fill_time,
    lot_fields,
    new_entries_read,
    run_isolated,
    trades_assign,
)
from oco.reconcile.journal import event_record
from oco.reconcile.prices import grid_of
from oco.selectors import external_reservations_read

ZERO = Decimal(0)
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


# What is too small for an order


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of `lot` below the size of an order, and what it cost per coin."""

    lot: Lot
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Rests:
    """All of one instrument that is too small for an order: remainders of lots, and the trades of small entries."""

    lots: Sequence[Rest]
    entries: Sequence[Entry]

    @property
    def parts(self) -> list[tuple[Decimal, Decimal]]:
        """Quantity and price of each."""
        bought = [(_new_quantity(entry), lots.average_price(entry.trades)) for entry in self.entries]
        return [*((rest.quantity, rest.price) for rest in self.lots), *bought]

    @property
    def quantity(self) -> Decimal:
        return sum((quantity for quantity, _ in self.parts), ZERO)


def rests_join(*, context: CycleContext, waiting: Sequence[Entry]) -> None:
    """What is too small for an order joins the lot of its instrument that a purchase has just opened; without one, it
    becomes a lot of its own as soon as it is large enough together.

    Only coins that the balance shows and nobody else needs: what is not there waits on.
    """
    rests, entries = _rests_of_lots(context), [each for each in waiting if each.exit_side is ExitSide.SELL]
    context.grids |= {entry.instrument.symbol: entry.grid for entry in entries}
    names = {rest.lot.instrument_name for rest in rests} | {entry.instrument.symbol for entry in entries}
    is_changed = False
    for name in sorted(names & context.grids.keys()):
        found = Rests(
            [rest for rest in rests if rest.lot.instrument_name == name],
            [entry for entry in entries if entry.instrument.symbol == name],
        )
        act = partial(_join_or_open, context, name, found)
        is_changed |= bool(run_isolated(context, act, f"{name}: what was too small alone"))
    if is_changed:
        context.allocations = allocations_read(context=context)


def _rests_of_lots(context: CycleContext) -> list[Rest]:
    """Of open lots the part below the lot size, of those that have closed all that is left."""
    found = []
    for allocation in context.allocations:
        lot = allocation.lot
        if lot.exit_side is ExitSide.BUY or lot.merging or lot.average_price is None:
            continue
        quantity = lot.owned if lot.waits else min(lot.dust, lot.owned - allocation.owned)
        if quantity > 0:
            found.append(Rest(lot, quantity, lot.average_price))
    return found


def _join_or_open(context: CycleContext, name: str, found: Rests) -> bool:
    group = context.new_groups.get(name)
    if group is None and _draft(context, name, found) is None:
        return False
    if group is not None:
        found = replace(found, lots=[rest for rest in found.lots if rest.lot.pk != group.lot_id])
    if not found.quantity:
        return False
    present = _present(context, found)
    if group is not None:
        return _join(context, group, present) if present.quantity else False
    lot_draft = _draft(context, name, present)
    if lot_draft is None:
        return False
    _open(context, name, present, lot_draft)
    return True


def _draft(context: CycleContext, name: str, found: Rests) -> LotDraft | None:
    """The lot of all of it, if it is large enough and its policy allows one. Old remainders wait on while the price is
    known to be past their stop: there they could only be sold.
    """
    policy, grid, ticker = context.policies.of(name), context.grids[name], context.reads.tickers.get(name)
    if not is_protected(policy):
        return None
    draft = lots.rests_draft(
        found.parts, grid=grid, stop_pct=policy.stop_pct, minimum_usd=policy.minimum_value_usd
    )
    if draft is None or found.entries or ticker is None or ticker.last is None:
        return draft
    stop = stop_of(draft.average_price, policy.stop_pct, grid.price_tick)
    return None if ExitSide.SELL.stop_reached(ticker.last, stop) else draft


def _present(context: CycleContext, found: Rests) -> Rests:
    """What the balance shows beyond the lots and external orders, and no order of ours rests for."""
    coin = found.lots[0].lot.base_ccy if found.lots else found.entries[0].instrument.base_ccy
    reserved = external_reservations_read().get(coin, ExternalReservation()).total
    needed = sum((_needed(each) for each in context.allocations if each.lot.spent_currency == coin), ZERO)
    offered = sum((rest.quantity for rest in found.lots if not rest.lot.waits), ZERO)
    left = (context.reads.holdings or {}).get(coin, ZERO) - reserved - needed + offered
    resting = _resting({rest.lot.pk for rest in found.lots if not rest.lot.waits})
    rests, entries = list[Rest](), list[Entry]()
    for rest in found.lots:
        quantity = min(rest.quantity, rest.lot.owned - resting.get(rest.lot.pk, ZERO))
        if ZERO < quantity <= left:
            rests.append(replace(rest, quantity=quantity))
            left -= quantity
    for entry in found.entries:
        quantity = _new_quantity(entry)
        if ZERO < quantity <= left:
            entries.append(entry)
            left -= quantity
    return Rests(rests, entries)


def _needed(allocation: LotAllocation) -> Decimal:
    """In the currency that its orders spend, what belongs to an open lot, the part below its lot size included."""
    lot = allocation.lot
    return ZERO if lot.waits else lot.owned * lot.spent_per_coin


def _resting(lot_pks: Collection[int]) -> dict[int, Decimal]:
    """By lot, the most that an order of ours may still execute."""
    found: dict[int, Decimal] = {}
    legs = OcoLeg.objects.filter(group__lot__in=lot_pks, status__in=POSSIBLY_OPEN)
    for lot_pk, quantity, executed in legs.values_list("group__lot", "quantity", "executed"):
        found[lot_pk] = max(found.get(lot_pk, ZERO), quantity - executed)
    return found


def _join(context: CycleContext, group: OcoGroup, taken: Rests) -> bool:
    """The prices stay those of the purchase: older ones could put its stop above the market, and sell it there."""
    why = reason(ReasonCode.RESTS_JOINED, quantity=taken.quantity, coin=group.lot.base_ccy)
    with transaction.atomic():
        context.lease.renew()
        lot = Lot.objects.get(pk=group.lot_id)
        lot.bought += taken.quantity
        whole = round_to_lot_size(lot.bought, context.grids[group.instrument_name].quantity_tick)
        lot.dust, group.quantity = lot.bought - whole, whole
        lot.save(update_fields=["bought", "dust"])
        group.save(update_fields=["quantity"])
        _take(taken, lot)
        event_record(group=group, at=context.now(), reason=why)
    return True


def _open(context: CycleContext, name: str, taken: Rests, lot_draft: LotDraft) -> None:
    instrument, policy = Instrument.objects.get(symbol=name), context.policies.of(name)
    trades = [trade for entry in taken.entries for trade in entry.trades]
    newest = max(taken.entries, key=lambda entry: last_fill_time(entry.trades), default=None)
    with transaction.atomic():
        context.lease.renew()
        if newest is None:
            last = max((rest.lot for rest in taken.lots), key=lambda lot: lot.pk)
            grid, seen = context.grids[name], last.opened_at
            newest = Entry(last.entry_order_id, last.side, instrument, grid, policy, (), seen)
            first, entered_at = f"rest-{last.pk}-{to_ms(context.now())}", last.entered_at
        else:
            first, entered_at = newest.trades[0].lot_key, last_fill_time(trades)
        lot = Lot.objects.create(
            **lot_fields(newest, None),
            first_trade_id=first,
            bought=lot_draft.bought,
            dust=lot_draft.dust,
            average_price=lot_draft.average_price,
            entered_at=entered_at,
            opened_at=context.now(),
        )
        _take(taken, lot)
        code = ReasonCode.RESTS_TOGETHER
        group_open(context=context, lot=lot, policy=policy, grid=context.grids[name], code=code)


def _take(taken: Rests, lot: Lot) -> None:
    """These coins and trades belong to `lot` now. Call it in a transaction."""
    for rest in taken.lots:
        old = rest.lot
        old.bought -= rest.quantity
        old.dust = max(old.dust - rest.quantity, ZERO)
        old.waits = old.waits and old.owned > 0
        old.save(update_fields=["bought", "dust", "waits"])
    trades_assign(trade_ids=[trade.trade_id for entry in taken.entries for trade in entry.trades], lot=lot)
