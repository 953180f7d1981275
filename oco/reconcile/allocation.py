"""How much of its coins each lot may sell, or buy back, now, and who shrinks (rules 2 and 10)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchange.core.reasons import reason
from exchange.models import Instrument
from oco.engine.allocation import ExternalReservation, Sellable, allocate_to_lots
from oco.engine.pricing import ExitSide, round_to_lot_size
from oco.engine.reason_codes import ReasonCode
from oco.external_orders import external_reservations_read
from oco.models import Lot, OcoLeg
from oco.reconcile.context import CycleContext
from oco.reconcile.journal import event_record

ZERO = Decimal(0)
MIN_READ_INTERVAL = timedelta(seconds=10)
FALLBACK_TICK = Decimal("1E-18")  # of a pair that is not in the catalogue any more
SENT = (OcoLeg.Status.INTENT, OcoLeg.Status.SENT)
RESTING = (OcoLeg.Status.ACCEPTED, OcoLeg.Status.OPEN)


@dataclass(frozen=True, slots=True)
class LotAllowance:
    """What a lot may sell; `is_short` while one read only says that coins are missing."""

    allowed: Decimal
    has_shortfall: bool
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class LotAllocation:
    """An open lot, what it owns on the grid, and its share."""

    lot: Lot
    owned: Decimal
    sellable: Sellable

    @property
    def is_fully_allocated(self) -> bool:
        return self.sellable.allowed == self.owned


def lot_allowances_read(*, context: CycleContext) -> dict[int, LotAllowance]:
    """By lot. Without a believed balance nothing is known, and a lot is missing from the answer."""
    return {
        allocation.lot.pk: _lot_allowance(allocation, context.started)
        for allocation in allocations_read(context=context)
    }


def _lot_allowance(allocation: LotAllocation, started: datetime) -> LotAllowance:
    since = allocation.lot.short_since
    confirmed = allocation.is_fully_allocated or (since is not None and started - since >= MIN_READ_INTERVAL)
    return LotAllowance(
        allocation.sellable.allowed, has_shortfall=allocation.sellable.missing > 0, is_confirmed=confirmed
    )


def allocations_read(*, context: CycleContext) -> list[LotAllocation]:
    """Every open lot with its share; nothing when this cycle's reads do not tell (rule 11)."""
    holdings = context.reads.holdings
    if holdings is None or not context.reads.can_add:
        return []
    reserved, found = external_reservations_read(), []
    for currency, owned in _open_lots_by_currency().items():
        free = reserved.get(currency, ExternalReservation()).total
        lots = [(lot.pk, amount * lot.spent_per_coin) for lot, amount, _ in owned]
        sellables = allocate_to_lots(holdings=holdings.get(currency, ZERO), reserved=free, lots=lots)
        found += [
            LotAllocation(lot, amount, in_base_currency(sellables[lot.pk], lot, amount, tick))
            for lot, amount, tick in owned
        ]
    return found


def in_base_currency(sellable: Sellable, lot: Lot, owned: Decimal, tick: Decimal) -> Sellable:
    """The share of a lot in its coins; of one that buys back, as many as its share of the money pays for."""
    if lot.exit_side is ExitSide.SELL:
        return sellable
    present = owned * lot.spent_per_coin - sellable.missing
    return Sellable(
        allowed=round_to_lot_size(sellable.allowed / lot.spent_per_coin, tick),
        missing=owned - round_to_lot_size(present / lot.spent_per_coin, tick),
    )


def _open_lots_by_currency() -> Mapping[str, list[tuple[Lot, Decimal, Decimal]]]:
    """Open lots by what their orders take, with what they own and its step, oldest first: what is missing is
    missing to the newest.
    """
    lots = list(Lot.objects.filter(closed_at=None).order_by("opened_at", "pk"))
    names = {lot.instrument_name for lot in lots}
    ticks = dict(Instrument.objects.filter(symbol__in=names).values_list("symbol", "qty_tick_size"))
    found: dict[str, list[tuple[Lot, Decimal, Decimal]]] = defaultdict(list)
    for lot in lots:
        tick = ticks.get(lot.instrument_name, FALLBACK_TICK)
        found[lot.spent_currency].append((lot, round_to_lot_size(lot.owned, tick), tick))
    return found


def write_off_missing(*, context: CycleContext) -> None:
    """Rule 10, once a cycle: what two healthy reads at least 10 s apart miss is gone, unless a leg is unknown.

    The first read may have been overtaken by a fill of our own orders: when those sold anything since the
    last cycle, the count begins again.
    """
    allocations = allocations_read(context=context)
    unresolved = context.sold | (_currencies_with_unknown_legs(context) if allocations else set())
    for allocation in allocations:
        if allocation.is_fully_allocated:
            _record_shortfall(allocation.lot, None, ZERO, context)
        elif allocation.lot.spent_currency in unresolved or _is_new_shortfall(allocation):
            _record_shortfall(allocation.lot, context.started, allocation.sellable.missing, context)
        elif context.started - (allocation.lot.short_since or context.started) >= MIN_READ_INTERVAL:
            _write_off(allocation, min(allocation.sellable.missing, allocation.lot.short_missing), context)


def _is_new_shortfall(allocation: LotAllocation) -> bool:
    """Less than whole for the first time, or coins missing that were only locked before."""
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
    """With the coins goes the dust beside them: what is short of a whole step is not there either."""
    if not missing:
        return
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
    """Currencies with an order whose fate is not known: unanswered, or not listed open although it has not ended."""
    legs = OcoLeg.objects.filter(status__in=(*SENT, *RESTING), group__closed_at=None)
    rows = legs.values_list(
        "status", "name_space", "order_id", "group__lot__base_ccy", "group__lot__quote_ccy"
    )
    return {
        quote or base for status, *key, base, quote in rows if is_order_unknown(status, tuple(key), context)
    }


def is_order_unknown(status: str, key: tuple[str, ...], context: CycleContext) -> bool:
    """Whether the fate of an order of ours is open: unanswered, or resting by our books and not seen to."""
    return status in SENT or (status in RESTING and key not in context.seen)
