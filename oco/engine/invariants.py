"""What must be true at any moment (pure, protection chapter 3); each violation is a sentence and a reason.

Tests run the checks over the simulator's record, production over our rows as alarms.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from exchange.core.reasons import Sentence
from oco.engine.pricing import round_to_lot_size
from oco.engine.reason_codes import Violation as Code
from oco.engine.states import CLOSED, State, is_final, is_open
from oco.engine.types import Role

ZERO = Decimal(0)
UNCONFIRMED = frozenset({"INTENT", "SENT"})
TERMINAL = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LotFact:
    id: int
    currency: str  # the currency its orders spend
    bought: Decimal
    owned: Decimal
    sold: Decimal
    tick: Decimal
    is_closed: bool
    spent_per_coin: Decimal = Decimal(1)  # in that currency


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFact:
    id: str
    lot_id: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFact:
    group_id: str
    client_oid: str
    role: Role
    status: str
    executed: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """One of our orders in the exchange's record, identified by its `client_oid`."""

    client_oid: str
    is_open: bool
    status: str
    quantity: Decimal
    executed: Decimal


@dataclass(frozen=True, kw_only=True)
class InvariantData:
    """Our rows, and the exchange's record of our orders. `held` is None when unknown."""

    lots: Sequence[LotFact]
    groups: Sequence[GroupFact]
    legs: Sequence[LegFact]
    orders: Sequence[OrderFact]
    held: dict[str, Decimal] | None = None

    @cached_property
    def groups_of(self) -> Mapping[int, list[GroupFact]]:
        found: dict[int, list[GroupFact]] = defaultdict(list)
        for group in self.groups:
            found[group.lot_id].append(group)
        return found

    @cached_property
    def legs_of(self) -> Mapping[str, list[LegFact]]:
        found: dict[str, list[LegFact]] = defaultdict(list)
        for leg in self.legs:
            found[leg.group_id].append(leg)
        return found

    @cached_property
    def order_of(self) -> Mapping[str, OrderFact]:
        return {order.client_oid: order for order in self.orders}


def violations(invariant_data: InvariantData) -> list[str]:
    """Every invariant that does not hold now. `stop_covers_lot` checks only groups whose state is ACTIVE."""
    checks = (
        unique,
        intent_first,
        evidence_only,
        exactly_once,
        no_order_after_close,
        never_oversold,
        stop_covers_lot,
    )
    return [words for check in checks for words in check(invariant_data)]


def unique(invariant_data: InvariantData) -> Iterator[str]:
    """At most one live group per lot, and one live order per lot and role."""
    for lot in invariant_data.lots:
        groups = [group for group in invariant_data.groups_of[lot.id] if is_open(group.state)]
        if len(groups) > 1:
            yield Sentence(
                f"Lot {lot.id} has {len(groups)} open groups.",
                Code.SEVERAL_GROUPS,
                lot=lot.id,
                count=len(groups),
            )
        roles = [
            leg.role
            for leg, order in _placed_legs(invariant_data, invariant_data.groups_of[lot.id])
            if order.is_open
        ]
        if len(roles) != len(set(roles)):
            yield Sentence(
                f"Lot {lot.id} has two live orders for one purpose.", Code.DOUBLE_ORDER, lot=lot.id
            )


def intent_first(invariant_data: InvariantData) -> Iterator[str]:
    """Each of our orders on the exchange was recorded as an intent before."""
    known = {leg.client_oid for leg in invariant_data.legs}
    for order in invariant_data.orders:
        if order.client_oid not in known:
            text = f"Order {order.client_oid} carries our mark and was never written down."
            yield Sentence(text, Code.UNRECORDED_ORDER, order=order.client_oid)


def evidence_only(invariant_data: InvariantData) -> Iterator[str]:
    """The end of an order comes from the exchange, with its fills; no group ends while a leg is unknown."""
    for leg, order in _placed_legs(invariant_data, invariant_data.groups):
        if leg.status in TERMINAL and (order.is_open or leg.executed != order.executed):
            here, there = f"{leg.status} {leg.executed}", f"{order.status} {order.executed}"
            text = f"{leg.client_oid} ended {here} for us and is {there} at the exchange."
            yield Sentence(text, Code.DIFFERENT_END, order=leg.client_oid, here=here, there=there)
    final = {group.id for group in invariant_data.groups if is_final(group.state)}
    for leg in invariant_data.legs:
        if leg.group_id in final and leg.status in UNCONFIRMED:
            text = f"Group {leg.group_id} ended while {leg.client_oid} is unknown."
            yield Sentence(text, Code.ENDED_UNKNOWN, group=leg.group_id, order=leg.client_oid)


def exactly_once(invariant_data: InvariantData) -> Iterator[str]:
    """The sold quantity of a lot is the executed quantity of its orders, counted once."""
    for lot in invariant_data.lots:
        legs = (leg for group in invariant_data.groups_of[lot.id] for leg in invariant_data.legs_of[group.id])
        reported = sum((leg.executed for leg in legs), ZERO)
        if reported != lot.sold:
            text = f"Lot {lot.id} counts {lot.sold} executed, its orders {reported}."
            yield Sentence(text, Code.DIFFERENT_EXECUTION, lot=lot.id, counted=lot.sold, reported=reported)


def no_order_after_close(invariant_data: InvariantData) -> Iterator[str]:
    """A closed lot leaves no live order."""
    final = [group for group in invariant_data.groups if is_final(group.state)]
    for leg, order in _placed_legs(invariant_data, final):
        if order.is_open:
            text = f"{leg.client_oid} rests behind a group that has ended."
            yield Sentence(text, Code.ORDER_LEFT, order=leg.client_oid)


def never_oversold(invariant_data: InvariantData) -> Iterator[str]:
    """No lot sells or buys back, or can, more than its quantity, or more than the account holds."""
    for lot in invariant_data.lots:
        placed = list(_placed_legs(invariant_data, invariant_data.groups_of[lot.id]))
        executed = sum((order.executed for _, order in placed), ZERO)
        most = executed + _max_executable(placed)
        if most > lot.bought:
            text = f"Lot {lot.id} may take {most} of {lot.bought}."
            yield Sentence(text, Code.OVERSOLD, lot=lot.id, most=most, bought=lot.bought)
    for currency, held in (invariant_data.held or {}).items():
        lots = [lot for lot in invariant_data.lots if lot.currency == currency]
        resting = sum(
            (
                _max_executable(_placed_legs(invariant_data, invariant_data.groups_of[lot.id]))
                * lot.spent_per_coin
                for lot in lots
            ),
            ZERO,
        )
        if resting > held:
            text = f"{resting} {currency} may be taken and {held} are held."
            yield Sentence(text, Code.OVERSOLD_ACCOUNT, resting=resting, currency=currency, held=held)


def stop_covers_lot(invariant_data: InvariantData) -> Iterator[str]:
    """An ACTIVE group has a live stop for the open quantity of its lot, less what external orders reserve. It may
    rest for more whole steps than a lot size that grew since then allows.
    """
    lots = {lot.id: lot for lot in invariant_data.lots}
    for group in invariant_data.groups:
        if group.state is State.ACTIVE:
            owned = lots[group.lot_id].owned
            live = sum((order.quantity - order.executed for order in _stops(invariant_data, group)), ZERO)
            if not ZERO < live <= owned:
                text = f"Group {group.id} is ACTIVE, its stop covers {live} of {owned}."
                yield Sentence(text, Code.STOP_TOO_SMALL, group=group.id, live=live, owned=owned)


def converged(invariant_data: InvariantData) -> Iterator[str]:
    """After a healthy cycle every open lot is fully covered; used by tests."""
    yield from violations(invariant_data)
    lots = {lot.id: lot for lot in invariant_data.lots}
    for group in invariant_data.groups:
        lot = lots[group.lot_id]
        if is_open(group.state) and group.state is not State.ACTIVE:
            yield f"Group {group.id} is {group.state}."
        elif is_open(group.state):
            live = sum((order.quantity - order.executed for order in _stops(invariant_data, group)), ZERO)
            if not round_to_lot_size(lot.owned, lot.tick) <= live <= lot.owned:
                yield f"Group {group.id} covers {live} of {lot.owned}."
        elif group.state in CLOSED and not lot.is_closed:
            yield f"Lot {lot.id} is open behind a closed group."


def _placed_legs(
    invariant_data: InvariantData, groups: Iterable[GroupFact]
) -> Iterator[tuple[LegFact, OrderFact]]:
    """The legs of these groups that are in the exchange's record."""
    for group in groups:
        for leg in invariant_data.legs_of[group.id]:
            if leg.client_oid in invariant_data.order_of:
                yield leg, invariant_data.order_of[leg.client_oid]


def _stops(invariant_data: InvariantData, group: GroupFact) -> list[OrderFact]:
    return [o for leg, o in _placed_legs(invariant_data, [group]) if leg.role is Role.STOP_LOSS and o.is_open]


def _max_executable(placed: Iterable[tuple[LegFact, OrderFact]]) -> Decimal:
    """The most that the live orders of one lot can still execute: of a pair only one leg does."""
    return max((order.quantity - order.executed for _, order in placed if order.is_open), default=ZERO)
