"""How much each lot may sell, or buy back, now, and when missing coins are written off (rules 2 and 10)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchange.core.reasons import reason
from oco.engine.allocation import ExternalReservation, Sellable, allocate_to_lots
from oco.engine.pricing import ExitSide, round_to_lot_size
from oco.engine.reason_codes import ReasonCode
from oco.external_orders import external_reservations_read
from oco.models import Lot, OcoLeg
from oco.policies import policies_read
from oco.reconcile.context import CycleContext, LotAllocation
from oco.reconcile.journal import event_record
from oco.reconcile.prices import grids_read

ZERO = Decimal(0)
MIN_READ_INTERVAL = timedelta(seconds=10)
FALLBACK_TICK = Decimal("1E-18")  # of a pair that is not in the catalogue any more
SENT = (OcoLeg.Status.INTENT, OcoLeg.Status.SENT)
RESTING = (OcoLeg.Status.ACCEPTED, OcoLeg.Status.OPEN)


@dataclass(frozen=True, slots=True)
class LotAllowance:
    """What a lot may sell. `has_shortfall`: the balance does not show all its coins. `is_confirmed`: two reads
    agree, or nothing is missing.
    """

    allowed: Decimal
    has_shortfall: bool
    is_confirmed: bool


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
    reserved, found = external_reservations_read(), []
    for currency, owned in _open_lots_by_currency(context).items():
        free = reserved.get(currency, ExternalReservation()).total
        lots = [(lot.pk, amount * lot.spent_per_coin) for lot, amount, _ in owned]
        sellables = allocate_to_lots(holdings=holdings.get(currency, ZERO), reserved=free, lots=lots)
        found += [
            LotAllocation(lot, amount, in_base_currency(sellables[lot.pk], lot, amount, tick))
            for lot, amount, tick in owned
        ]
    return found


def in_base_currency(sellable: Sellable, lot: Lot, owned: Decimal, tick: Decimal) -> Sellable:
    """`sellable` in coins of the lot; for a lot that buys back, as many coins as that money pays for."""
    if lot.exit_side is ExitSide.SELL:
        return sellable
    present = owned * lot.spent_per_coin - sellable.missing
    return Sellable(
        allowed=round_to_lot_size(sellable.allowed / lot.spent_per_coin, tick),
        missing=owned - round_to_lot_size(present / lot.spent_per_coin, tick),
    )


def _open_lots_by_currency(context: CycleContext) -> Mapping[str, list[tuple[Lot, Decimal, Decimal]]]:
    """Open lots by the currency that their orders spend, with what they own and its step, oldest first: the
    newest lot is the first to miss coins.
    """
    lots = list(Lot.objects.filter(closed_at=None).order_by("opened_at", "pk"))
    grids_read(context=context, names=(lot.instrument_name for lot in lots))
    found: dict[str, list[tuple[Lot, Decimal, Decimal]]] = defaultdict(list)
    for lot in lots:
        grid = context.grids.get(lot.instrument_name)
        tick = grid.quantity_tick if grid else FALLBACK_TICK
        found[lot.spent_currency].append((lot, round_to_lot_size(lot.owned, tick), tick))
    return found


def write_off_missing(*, context: CycleContext) -> None:
    """Rule 10, once a cycle: what two healthy reads at least 10 s apart miss is gone, unless a leg is unknown.

    The first read may be older than a fill of our own orders: when those sold anything since the last cycle,
    the count starts again.
    """
    allocations, is_changed = context.allocations, False
    unresolved = context.sold | (_currencies_with_unknown_legs(context) if allocations else set())
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
    lot.short_missing = ZERO
    why = reason(
        ReasonCode.LEFT_ACCOUNT, side=lot.exit_side, quantity=missing, coin=lot.base_ccy, owned=lot.owned
    )
    with transaction.atomic():
        context.lease.renew()
        lot.save(update_fields=["gone", "short_missing"])
        for group in lot.groups.filter(closed_at=None):
            event_record(group=group, at=context.now(), reason=why)


def _currencies_with_unknown_legs(context: CycleContext) -> set[str]:
    """Currencies spent by an order of unknown outcome: unanswered, or not listed open although it has not ended."""
    legs = OcoLeg.objects.filter(status__in=(*SENT, *RESTING), group__closed_at=None)
    rows = legs.values_list(
        "status", "name_space", "order_id", "group__lot__base_ccy", "group__lot__quote_ccy"
    )
    return {
        quote or base for status, *key, base, quote in rows if is_order_unknown(status, tuple(key), context)
    }


def is_order_unknown(status: str, key: tuple[str, ...], context: CycleContext) -> bool:
    """Whether the outcome of an order of ours is unknown: unanswered, or resting by our rows and not seen open."""
    return status in SENT or (status in RESTING and key not in context.seen)
