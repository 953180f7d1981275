"""How much each lot may sell, or buy back, now, and when missing coins are written off, or given back (rules 2 and
10).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet

from exchange.core.reasons import reason
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import Trade
from exchange.selectors import runs_finished
from oco.engine.allocation import ExternalReservation, Sellable, allocate_to_lots
from oco.engine.pricing import ExitSide, leaves_unplaced, round_to_lot_size
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State
from oco.engine.types import PREFIX, PREFIX_END, Leg, LegStatus
from oco.models import LIVE, OPEN_OR_WAITING, POSSIBLY_OPEN, UNCONFIRMED, Lot, OcoGroup, OcoLeg
from oco.policies import policies_read
from oco.reconcile.context import CycleContext, LotAllocation
from oco.reconcile.journal import event_record, group_reopen
from oco.reconcile.prices import grids_read
from oco.selectors import external_reservations_read

ZERO = Decimal(0)
MIN_READ_INTERVAL = timedelta(seconds=10)
RETURN_WINDOW = timedelta(days=1)
WRITE_OFF_DURATION = timedelta(
    minutes=10
)  # from the first read that misses coins, while orders are looked up
TRADE_MARGIN = timedelta(hours=1)
FALLBACK_TICK = Decimal("1E-18")  # of a pair that is not in the catalogue any more


@dataclass(frozen=True, slots=True)
class LotAllowance:
    """What a lot may sell. `has_shortfall`: the balance does not show all its coins. `is_confirmed`: two reads
    agree, or nothing is missing.
    """

    allowed: Decimal
    has_shortfall: bool
    is_confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLot:
    """`owned` in whole steps of `tick`; `spent_per_coin` in the currency that its orders spend."""

    lot: Lot
    owned: Decimal
    tick: Decimal
    spent_per_coin: Decimal
    exit_side: ExitSide


def round_inputs_read(*, context: CycleContext) -> None:
    """Read again what a round decides on; the round before may have changed it, or a person."""
    context.policies = policies_read()
    context.allocations = allocations_read(context=context)


def lot_allowances(*, context: CycleContext) -> dict[int, LotAllowance]:
    """By lot id. Without an accepted balance nothing is known, and no lot is in it."""
    return {
        allocation.lot.pk: LotAllowance(
            allocation.sellable.allowed,
            has_shortfall=allocation.sellable.missing > 0,
            is_confirmed=_is_fully_allocated(allocation) or _is_second_read(allocation.lot, context.started),
        )
        for allocation in context.allocations
    }


def _is_fully_allocated(allocation: LotAllocation) -> bool:
    return allocation.sellable.allowed == allocation.owned


def _is_second_read(lot: Lot, started: datetime) -> bool:
    """Whether an earlier read, at least 10 s older, showed the shortfall too."""
    return lot.short_since is not None and started - lot.short_since >= MIN_READ_INTERVAL


def allocations_read(*, context: CycleContext) -> list[LotAllocation]:
    """Every open lot with what its orders may be for; nothing when the reads of this cycle prove nothing (rule 11)."""
    holdings = context.reads.holdings
    if holdings is None or not context.can_add:
        return []
    lots_of, found = _open_lots_by_currency(context), list[LotAllocation]()
    reserved = external_reservations_read() if lots_of else {}
    for currency, open_lots in lots_of.items():
        reserved_total = reserved.get(currency, ExternalReservation()).total
        lots = [(each.lot.pk, each.owned * each.spent_per_coin) for each in open_lots]
        sellables = allocate_to_lots(
            holdings=holdings.get(currency, ZERO), reserved=reserved_total, lots=lots
        )
        found += [
            LotAllocation(each.lot, each.owned, _in_base_currency(sellables[each.lot.pk], each))
            for each in open_lots
        ]
    return found


def names_left_unplaced(*, context: CycleContext) -> set[str]:
    """Instruments whose grid keeps a part of an open or waiting lot without an order."""
    return {
        lot.instrument_name
        for lot in (allocation.lot for allocation in context.allocations)
        if lot.average_price and lot.owned and lot.instrument_name in context.grids
        if leaves_unplaced(lot.owned, lot.average_price, context.grids[lot.instrument_name])
    }


def _in_base_currency(sellable: Sellable, open_lot: OpenLot) -> Sellable:
    """`sellable` in coins of the lot; for a lot that buys back, as many coins as that money pays for."""
    if open_lot.exit_side is ExitSide.SELL:
        return sellable
    owned, spent_per_coin, tick = open_lot.owned, open_lot.spent_per_coin, open_lot.tick
    present = owned * spent_per_coin - sellable.missing
    return Sellable(
        allowed=round_to_lot_size(sellable.allowed / spent_per_coin, tick),
        missing=owned - round_to_lot_size(present / spent_per_coin, tick),
    )


def _open_lots_by_currency(context: CycleContext) -> Mapping[str, list[OpenLot]]:
    """Open lots by the currency that their orders spend, oldest first: the newest lot is the first to miss coins.
    Before all of them, those miss coins that are closed and wait for the next purchase: no order rests for these.
    """
    lots = list(Lot.objects.filter(OPEN_OR_WAITING).order_by("waits", "opened_at", "pk"))
    grids_read(context=context, names={lot.instrument_name for lot in lots})
    found: dict[str, list[OpenLot]] = defaultdict(list)
    for lot in lots:
        currency, owned, spent_per_coin, exit_side = (
            lot.spent_currency,
            lot.owned,
            lot.spent_per_coin,
            lot.exit_side,
        )
        grid = context.grids.get(lot.instrument_name)
        tick = grid.quantity_tick if grid else FALLBACK_TICK
        whole = owned if lot.waits else round_to_lot_size(owned, tick)
        found[currency].append(
            OpenLot(lot=lot, owned=whole, tick=tick, spent_per_coin=spent_per_coin, exit_side=exit_side)
        )
    return found


def is_spent_lately(*, context: CycleContext, lot: Lot, legs: Sequence[Leg]) -> bool:
    """Whether a trade of the last seconds spent what the lot's orders would: the balance may not show it yet.

    Only asked when its last orders have ended without executing, as after a cancel by hand.
    """
    last = max((leg.generation for leg in legs), default=0)
    newest = [leg for leg in legs if leg.generation == last]
    if not newest or any(leg.status is not LegStatus.ENDED or leg.executed for leg in newest):
        return False
    since_ns = to_ms(context.started - MIN_READ_INTERVAL) * NS_PER_MS
    return Trade.objects.filter(_spends(lot.spent_currency), create_time_ns__gte=since_ns).exists()


def _spends(currency: str) -> Q:
    """Fills that spent `currency`."""
    sales = Q(side="SELL", instrument_name__startswith=f"{currency}_")
    return sales | Q(side="BUY", instrument_name__endswith=f"_{currency}")


def write_off_missing(*, context: CycleContext) -> None:
    """Rule 10, once a cycle: what two healthy reads at least 10 s apart miss is gone, unless a leg is unknown.

    The first read may be older than a fill of our own orders: when those sold anything since the last cycle,
    the count starts again.
    """
    allocations, is_changed = context.allocations, False
    unresolved = context.sold_currencies | (_currencies_with_unknown_legs(context) if allocations else set())
    for allocation in allocations:
        lot, missing = allocation.lot, allocation.sellable.missing
        if _is_fully_allocated(allocation):
            _record_shortfall(lot, None, ZERO, context)
        elif lot.spent_currency in unresolved or _is_new_shortfall(allocation):
            _record_shortfall(lot, context.started, missing, context)
        elif _is_second_read(lot, context.started) and min(missing, lot.short_missing):
            _write_off(allocation, min(missing, lot.short_missing), context)
            is_changed = True
    if is_changed:
        context.allocations = allocations_read(context=context)


def _is_new_shortfall(allocation: LotAllocation) -> bool:
    """Not fully allocated for the first time, or coins missing that were only reserved before."""
    return allocation.lot.short_since is None or (
        allocation.sellable.missing > 0 and not allocation.lot.short_missing
    )


def _record_shortfall(lot: Lot, since: datetime | None, missing: Decimal, context: CycleContext) -> None:
    if (lot.short_since, lot.short_missing) == (since, missing):
        return
    lot.short_since, lot.short_missing = since, missing
    with transaction.atomic():
        context.lease.renew()
        lot.save(update_fields=["short_since", "short_missing"])


def _write_off(allocation: LotAllocation, missing: Decimal, context: CycleContext) -> None:
    """The dust goes with the coins: what is less than a whole step is not there either."""
    lot = allocation.lot
    missing += lot.owned - allocation.owned
    lot.gone += missing
    lot.written_off += missing
    lot.written_off_at = context.started
    lot.short_missing, lot.waits = ZERO, lot.waits and lot.owned > 0
    why = reason(
        ReasonCode.LEFT_ACCOUNT, side=lot.exit_side, quantity=missing, coin=lot.base_ccy, owned=lot.owned
    )
    with transaction.atomic():
        context.lease.renew()
        lot.save(update_fields=["gone", "written_off", "written_off_at", "short_missing", "waits"])
        for group in lot.groups.filter(closed_at=None):
            event_record(group=group, at=context.now(), reason=why)


def coins_return(*, context: CycleContext) -> None:
    """Give a lot back what was written off within the last day, once the balance shows all of it again although
    nothing was bought: the answers that did not show it were untrue, or a person moved the coins out and back.

    Not what a fill of somebody else's order may have spent, nor of a protection that a person removed or an order of
    ours ended.
    """
    holdings, since = context.reads.holdings, context.started - RETURN_WINDOW
    lots = Lot.objects.filter(written_off_at__gt=since, merged_into=None)
    if holdings is None or not context.can_add or not lots.exists():
        return
    reserved, is_changed = external_reservations_read(), False
    for lot in lots.order_by("opened_at", "pk"):
        currency = lot.spent_currency
        owned = [each.owned * each.spent_per_coin for each in _lots_spending(currency)]
        total = reserved.get(currency, ExternalReservation()).total
        free = (holdings.get(currency, ZERO) - total - sum(owned, ZERO)) / lot.spent_per_coin
        group = lot.groups.order_by("-created_at").first()
        if group is None or (group.closed_at is not None and group.state != State.CLOSED_BY_HAND):
            continue
        if free >= lot.written_off and not _is_spent_by_others(lot):
            _give_back(lot, group, context)
            is_changed = True
    if is_changed:
        context.allocations = allocations_read(context=context)


def _lots_spending(currency: str) -> QuerySet[Lot]:
    own = Q(quote_ccy=currency) | Q(quote_ccy="", base_ccy=currency)
    return Lot.objects.filter(OPEN_OR_WAITING).filter(own)


def _is_spent_by_others(lot: Lot) -> bool:
    """Whether a fill of an external order spent the lot's currency since shortly before the coins were missing."""
    written_off_at = lot.written_off_at or lot.opened_at
    run = runs_finished().filter(started_at__lt=written_off_at - WRITE_OFF_DURATION).first()
    since = (run.started_at if run else lot.opened_at) - TRADE_MARGIN
    fills = Trade.objects.filter(_spends(lot.spent_currency), create_time_ns__gte=to_ms(since) * NS_PER_MS)
    return fills.exclude(client_oid__gte=PREFIX, client_oid__lt=PREFIX_END).exists()


def _give_back(lot: Lot, group: OcoGroup, context: CycleContext) -> None:
    """The group is opened again if it had closed; otherwise its orders grow."""
    quantity = lot.written_off
    lot.gone -= quantity
    lot.written_off, lot.written_off_at = ZERO, None
    why = reason(ReasonCode.COINS_RETURNED, side=lot.exit_side, quantity=quantity, coin=lot.base_ccy)
    with transaction.atomic():
        context.lease.renew()
        lot.save(update_fields=["gone", "written_off", "written_off_at"])
        if group.closed_at is None:
            event_record(group=group, at=context.now(), reason=why)
        else:
            group_reopen(context=context, group=group, why=why)


def _currencies_with_unknown_legs(context: CycleContext) -> set[str]:
    """Currencies spent by an order of unknown outcome: unanswered, or not listed open although it has not ended."""
    legs = OcoLeg.objects.filter(status__in=POSSIBLY_OPEN, group__closed_at=None)
    rows = legs.values_list(
        "status", "name_space", "order_id", "group__lot__base_ccy", "group__lot__quote_ccy"
    )
    return {
        quote or base for status, *key, base, quote in rows if is_order_unknown(status, tuple(key), context)
    }


def is_order_unknown(status: str, key: tuple[str, ...], context: CycleContext) -> bool:
    """Whether the outcome of an order of ours is unknown: unanswered, or resting by our rows and not seen open."""
    return status in UNCONFIRMED or (status in LIVE and key not in context.open_keys)
