"""Reading protection for display and for alarms."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet

from exchange.models import ExchangeOrder, Instrument
from oco import invariants
from oco.evidence import AFTER_PREFIX
from oco.holdings import Committed
from oco.models import Lot, OcoEvent, OcoGroup, OcoLeg
from oco.oids import PREFIX
from oco.plan import Role
from oco.shares import foreign_read
from oco.states import State

ZERO = Decimal(0)
SHOWN_CLOSED = timedelta(hours=24)
BEFORE_US = (
    "Held without protection: bought before the desk looked after it, or not to be protected by itself."
)
LOCKED = "Locked by your order, which is no stop."


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """One order of a group as shown."""

    order_role: str
    order_id: str | None
    client_oid: str
    status: str
    trigger_price: Decimal | None
    price: Decimal | None
    quantity: Decimal
    filled_quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One group as shown, with the legs of its newest generation."""

    oco_group_id: UUID
    instrument_name: str
    state: str
    link: str
    quantity: Decimal
    entry_price: Decimal | None
    stop_price: Decimal
    take_profit_price: Decimal | None
    entry_order_id: str | None
    legs: tuple[LegRow, ...]
    created_at: datetime
    closed_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unprotected:
    """Coins without a stop, and why."""

    instrument_name: str
    currency: str
    quantity: Decimal
    since: datetime | None
    reason: str


def groups_open() -> QuerySet[OcoGroup]:
    return OcoGroup.objects.filter(closed_at=None)


def groups_shown(*, now: datetime) -> QuerySet[OcoGroup]:
    """The open ones, and those closed in the last 24 hours."""
    return OcoGroup.objects.filter(Q(closed_at=None) | Q(closed_at__gt=now - SHOWN_CLOSED))


def group_rows(groups: Iterable[OcoGroup]) -> tuple[GroupRow, ...]:
    """`groups` as shown, in their order: one query for all legs."""
    listed = list(groups)
    legs: dict[tuple[UUID, int], list[LegRow]] = defaultdict(list)
    for leg in OcoLeg.objects.filter(group__in=listed):
        legs[leg.group_id, leg.generation].append(_leg_row(leg))
    return tuple(_group_row(group, legs[group.pk, group.generation]) for group in listed)


def _leg_row(leg: OcoLeg) -> LegRow:
    return LegRow(
        order_role=leg.order_role,
        order_id=leg.order_id or None,
        client_oid=leg.client_oid,
        status=leg.status,
        trigger_price=leg.trigger_price,
        price=leg.price,
        quantity=leg.quantity,
        filled_quantity=leg.executed,
    )


def _group_row(group: OcoGroup, legs: Sequence[LegRow]) -> GroupRow:
    return GroupRow(
        oco_group_id=group.pk,
        instrument_name=group.instrument_name,
        state=group.state,
        link=group.link,
        quantity=group.quantity,
        entry_price=group.entry_price,
        stop_price=group.stop_price,
        take_profit_price=group.take_profit_price,
        entry_order_id=group.entry_order_id or None,
        legs=tuple(legs),
        created_at=group.created_at,
        closed_at=group.closed_at,
        reason=group.reason,
    )


def group_events(group_id: UUID) -> QuerySet[OcoEvent]:
    """The journal of one group, oldest first."""
    return OcoEvent.objects.filter(group_id=group_id).order_by("at", "id")


def protected_quantities() -> dict[str, Decimal]:
    """By currency: what stops cover that were read back open, ours and those of others (rules 2 and 5)."""
    found = {currency: each.covered for currency, each in foreign_read().items()}
    for currency, group in _active():
        found[currency] = found.get(currency, ZERO) + group.quantity
    return found


def _active() -> list[tuple[str, OcoGroup]]:
    groups = OcoGroup.objects.filter(state=State.ACTIVE).select_related("lot")
    return [(group.lot.base_ccy, group) for group in groups]


def unprotected(*, held: Mapping[str, Decimal], cash: Sequence[str]) -> list[Unprotected]:
    """What of `held` has no stop: lots that wait for one, coins behind an order that is none, and the rest."""
    foreign, groups = foreign_read(), _open_by_currency()
    return [
        row
        for currency, quantity in held.items()
        if currency not in cash and quantity > 0
        for row in _unprotected_of(currency, quantity, foreign.get(currency, Committed()), groups[currency])
    ]


def _open_by_currency() -> dict[str, list[OcoGroup]]:
    found: dict[str, list[OcoGroup]] = defaultdict(list)
    for group in groups_open().select_related("lot"):
        found[group.lot.base_ccy].append(group)
    return found


def _unprotected_of(
    currency: str, held: Decimal, foreign: Committed, groups: Sequence[OcoGroup]
) -> list[Unprotected]:
    covered = sum((group.quantity for group in groups if group.state == State.ACTIVE), foreign.covered)
    rest, rows = held - covered, []
    for group in groups:
        if group.state != State.ACTIVE and rest > 0:
            owned = min(group.lot.owned, rest)
            rows.append(_bare(currency, owned, group.reason, group.instrument_name, group.uncovered_since))
            rest -= owned
    locked = min(foreign.locked, max(rest, ZERO))
    rows.append(_bare(currency, locked, LOCKED))
    rows.append(_bare(currency, rest - locked, BEFORE_US))
    return [row for row in rows if row.quantity > 0]


def _bare(
    currency: str, quantity: Decimal, reason: str, name: str = "", since: datetime | None = None
) -> Unprotected:
    return Unprotected(
        instrument_name=name or f"{currency}_USD",
        currency=currency,
        quantity=quantity,
        since=since,
        reason=reason,
    )


def loss_if_all_stops_hit(*, usd: Mapping[str, Decimal]) -> Decimal | None:
    """In USD, from what was paid, before slippage and fees; None while a quote currency has no price."""
    total, quotes = ZERO, dict(Instrument.objects.values_list("symbol", "quote_ccy"))
    for _, group in _active():
        price = usd.get(quotes.get(group.instrument_name, ""))
        if price is None:
            return None
        if group.entry_price is not None:
            total += (group.entry_price - group.stop_price) * group.quantity * price
    return total


def groups_naked(*, now: datetime, longer_than: timedelta) -> list[OcoGroup]:
    """Open groups whose cover has not been observed for so long (invariant *No silent nakedness*).

    Coins behind a foreign stop are covered (rule 2), so that a group without any other is not naked.
    """
    late = list(groups_open().filter(uncovered_since__lt=now - longer_than).select_related("lot"))
    foreign = foreign_read() if late else {}
    return [group for group in late if group.lot.owned > foreign.get(group.lot.base_ccy, Committed()).covered]


def events_untold() -> QuerySet[OcoEvent]:
    """What the person has not been told yet, oldest first."""
    return OcoEvent.objects.filter(told=False).select_related("group__lot").order_by("id")


def invariants_broken() -> list[str]:
    """The invariants over our own rows: an alarm when one does not hold."""
    own = ExchangeOrder.objects.filter(
        client_oid__gte=PREFIX, client_oid__lt=AFTER_PREFIX, oco_group_id__in=groups_open().values("pk")
    )
    orders = [
        invariants.OrderFact(
            client_oid=order.client_oid,
            is_open=order.is_open,
            status=order.status,
            quantity=order.quantity or ZERO,
            executed=order.filled_quantity,
        )
        for order in own
    ]
    return invariants.broken(books(orders=orders, groups=groups_open()))


def books(
    *,
    orders: Sequence[invariants.OrderFact],
    groups: QuerySet[OcoGroup],
    held: dict[str, Decimal] | None = None,
) -> invariants.Books:
    """Our rows about `groups` beside a record of orders."""
    listed = list(groups)
    lots = Lot.objects.filter(groups__in=listed).distinct()
    ticks = dict(Instrument.objects.values_list("symbol", "qty_tick_size"))
    legs = OcoLeg.objects.filter(group__in=listed)
    return invariants.Books(
        lots=[_lot_fact(lot, ticks[lot.instrument_name]) for lot in lots],
        groups=[
            invariants.GroupFact(id=str(group.pk), lot_id=group.lot_id, state=State(group.state))
            for group in listed
        ],
        legs=[_leg_fact(leg) for leg in legs],
        orders=orders,
        held=held,
    )


def _lot_fact(lot: Lot, tick: Decimal) -> invariants.LotFact:
    return invariants.LotFact(
        id=lot.pk,
        currency=lot.base_ccy,
        bought=lot.bought,
        owned=lot.owned,
        sold=lot.sold,
        tick=tick,
        is_closed=lot.closed_at is not None,
    )


def _leg_fact(leg: OcoLeg) -> invariants.LegFact:
    return invariants.LegFact(
        group_id=str(leg.group_id),
        client_oid=leg.client_oid,
        role=Role(leg.order_role),
        status=leg.status,
        executed=leg.executed,
    )
