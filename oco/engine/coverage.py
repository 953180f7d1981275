"""What is unprotected, and the coverage status of each coin: the one definition of both (pure).

Unprotected are coins without a stop that was read back open (rule 5). Of an open group these are the coins that no
confirmed order is for (`GroupCoverage.unprotected`), less those behind external stops (`behind_external_stops`);
of a coin also what is held outside every group.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchange.core.numbers import cents
from exchange.core.reasons import Reason, reason
from oco.engine.allocation import ExternalReservation
from oco.engine.pricing import Grid, is_placeable, round_to_lot_size
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import State

ZERO = Decimal(0)


class CoverageStatus(StrEnum):
    """Coverage status of a position; the worst comes first."""

    STOP_FAILED = "STOP_FAILED"
    UNKNOWN = "UNKNOWN"
    UNPROTECTED = "UNPROTECTED"
    PARTLY = "PARTLY"
    WAITING = "WAITING"
    PROTECTED = "PROTECTED"


RANK = {coverage_status: rank for rank, coverage_status in enumerate(CoverageStatus)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCoverage:
    """One open group. `quantity` is covered by its orders, `owned` is the open quantity of its lot."""

    instrument_name: str
    state: State
    quantity: Decimal
    owned: Decimal
    is_sent: bool
    reason: Reason | None
    since: datetime | None

    def unprotected(self, *, tick: Decimal | None) -> Decimal:
        """Coins that no confirmed order is for: all unless ACTIVE; a difference below `tick` does not count."""
        if self.state is not State.ACTIVE:
            return self.owned
        required = round_to_lot_size(self.owned, tick) if tick else self.owned
        return max(required - self.quantity, ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinHolding:
    """The holdings of one currency and what covers them; `groups` are oldest first.

    Without a grid or a price nothing counts as too small.
    """

    currency: str
    instrument_name: str
    held: Decimal
    price_usd: Decimal | None
    grid: Grid | None
    external: ExternalReservation
    groups: Sequence[GroupCoverage]
    is_origin_known: bool = True  # every execution since the start was read and belongs to a lot or to none
    waiting: Decimal = (
        ZERO  # bought, and too small for an order or for the policy: it joins the next purchase
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Coins without a stop, and why. `is_sent`: orders were sent. `is_unallocated`: not reserved by any order or lot.

    `state` is the state of their group.
    """

    instrument_name: str
    quantity: Decimal
    market_value_usd: Decimal | None
    since: datetime | None
    reason: Reason
    is_sent: bool = False
    is_unallocated: bool = False
    state: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinCoverage:
    """One coin: the quantity with a stop that was read back open, and the unprotected parts worth an order.

    `external_protected` is covered by external stops only: the oldest groups first, then coins outside every group.
    """

    currency: str
    instrument_name: str
    coverage_status: CoverageStatus
    held: Decimal
    protected: Decimal
    unprotected_parts: tuple[Unprotected, ...]
    external_protected: Decimal = ZERO
    too_small: Unprotected | None = None  # waits for the next purchase, and is no alarm

    @property
    def unprotected(self) -> Decimal:
        """Includes dust."""
        return self.held - self.protected

    @property
    def may_be_protected(self) -> bool:
        """Whether a user can request protection: coins in a group have it already."""
        return any(row.is_unallocated for row in self.unprotected_parts)

    @property
    def unprotected_usd(self) -> Decimal | None:
        values = [row.market_value_usd for row in self.unprotected_parts if row.market_value_usd is not None]
        return sum(values, ZERO) if values else None


def coverage_of(holding: CoinHolding) -> CoinCoverage:
    """Our stops first, then external ones (rule 2), which may replace those of a group that has none.

    Only observed orders count (rule 5).
    """
    active = [group for group in holding.groups if group.state is State.ACTIVE]
    ours = min(holding.held, sum((min(group.quantity, group.owned) for group in active), ZERO))
    external_protected = min(holding.held - ours, holding.external.covered)
    rest, unprotected_parts = holding.held - ours - external_protected, []
    tick = holding.grid.quantity_tick if holding.grid else None
    wanted = [group.unprotected(tick=tick) for group in holding.groups]
    for group, left in zip(holding.groups, behind_external_stops(wanted, external_protected), strict=True):
        unprotected_parts.append(_group_part(holding, group, min(left, rest)))
        rest -= unprotected_parts[-1].quantity
    unallocated = [row for row in _unallocated_parts(holding, rest) if row.quantity]
    unprotected_parts += [row for row in unallocated if not _is_dust(holding, row.quantity)]
    shown = tuple(row for row in unprotected_parts if row.quantity)
    return CoinCoverage(
        currency=holding.currency,
        instrument_name=holding.instrument_name,
        coverage_status=_coverage_status(holding.groups, ours + external_protected, shown),
        held=holding.held,
        protected=ours + external_protected,
        unprotected_parts=shown,
        external_protected=external_protected,
        too_small=next((row for row in unallocated if row.reason.code == ReasonCode.TOO_SMALL_ALONE), None),
    )


def coverage_status_of(group: GroupCoverage, *, tick: Decimal | None) -> CoverageStatus:
    """Coverage status of one group; a difference below `tick` does not count."""
    if group.state in (State.STOP_FAILED, State.UNKNOWN):
        return CoverageStatus(group.state)
    if group.state is not State.ACTIVE:
        return CoverageStatus.WAITING if group.is_sent else CoverageStatus.UNPROTECTED
    return CoverageStatus.PARTLY if group.unprotected(tick=tick) else CoverageStatus.PROTECTED


def behind_external_stops(quantities: Iterable[Decimal], covered: Decimal) -> Iterator[Decimal]:
    """What is left of each of the unprotected `quantities` of one coin when external stops cover `covered` of it."""
    for quantity in quantities:
        used = min(quantity, covered)
        covered -= used
        yield quantity - used


def _group_part(holding: CoinHolding, group: GroupCoverage, quantity: Decimal) -> Unprotected:
    return Unprotected(
        instrument_name=group.instrument_name,
        quantity=quantity,
        market_value_usd=_value(holding, quantity),
        since=group.since,
        reason=_part_reason(group),
        is_sent=group.is_sent and group.state is not State.ACTIVE,
        state=group.state,
    )


def _part_reason(group: GroupCoverage) -> Reason:
    if group.state is State.ACTIVE:
        return reason(ReasonCode.PART_WITHOUT_STOP)
    return group.reason or reason(ReasonCode.WAITING_FOR_CYCLE)


def _unallocated_parts(holding: CoinHolding, rest: Decimal) -> Iterator[Unprotected]:
    """Coins outside every group, those included that are too small to be counted as unprotected."""
    reserved_without_stop = min(rest, holding.external.reserved_without_stop)
    left = rest - reserved_without_stop
    waiting = min(left, holding.waiting)
    outside = ReasonCode.HELD_BEFORE_START if holding.is_origin_known else ReasonCode.ORIGIN_UNKNOWN
    for quantity, why, is_unallocated in (
        (reserved_without_stop, reason(ReasonCode.RESERVED_BY_ORDER), False),
        (left - waiting, reason(outside), True),
        (waiting, _waiting_reason(holding, waiting), True),
    ):
        yield Unprotected(
            instrument_name=holding.instrument_name,
            quantity=quantity,
            market_value_usd=_value(holding, quantity),
            since=None,
            reason=why,
            is_unallocated=is_unallocated,
        )


def _waiting_reason(holding: CoinHolding, quantity: Decimal) -> Reason:
    value = _value(holding, quantity)
    return reason(
        ReasonCode.TOO_SMALL_ALONE if _is_dust(holding, quantity) else ReasonCode.BELOW_POLICY_MINIMUM,
        quantity=quantity,
        coin=holding.currency,
        value="?" if value is None else cents(value),
    )


def _is_dust(holding: CoinHolding, quantity: Decimal) -> bool:
    if not quantity or holding.grid is None or holding.price_usd is None:
        return not quantity
    in_usd = replace(holding.grid, quote_usd=Decimal(1))
    return not is_placeable(round_to_lot_size(quantity, in_usd.quantity_tick), holding.price_usd, in_usd)


def _value(holding: CoinHolding, quantity: Decimal) -> Decimal | None:
    return None if holding.price_usd is None else quantity * holding.price_usd


def _coverage_status(
    groups: Sequence[GroupCoverage], protected: Decimal, unprotected_parts: Sequence[Unprotected]
) -> CoverageStatus:
    states = {group.state for group in groups}
    if State.STOP_FAILED in states:
        return CoverageStatus.STOP_FAILED
    if State.UNKNOWN in states:
        return CoverageStatus.UNKNOWN
    if any(not row.is_sent for row in unprotected_parts):
        return CoverageStatus.PARTLY if protected else CoverageStatus.UNPROTECTED
    return CoverageStatus.WAITING if unprotected_parts else CoverageStatus.PROTECTED
