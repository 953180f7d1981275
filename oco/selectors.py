"""Reads of groups, legs and events for pages, API and alerts, and of the open orders that we did not send."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from django.db.models import F, Q, QuerySet, Subquery, Value

from exchange.core.instrument_names import base_of, is_derivative
from exchange.core.reasons import Reason
from exchange.fields import ExactDecimalField
from exchange.models import ExchangeOrder, Instrument, Trade
from exchange.models.sync import HistoryRange, Stream
from exchange.schemas.orders import STOP_ORDER_TYPES
from oco.engine.allocation import ExternalOrder, ExternalReservation, reserve
from oco.engine.coverage import GroupCoverage, behind_external_stops
from oco.engine.lots import net_of_fee
from oco.engine.pricing import ExitSide
from oco.engine.states import UNPROTECTED, State
from oco.engine.types import Role
from oco.models import LIVE, Lot, OcoEvent, OcoGroup, OcoLeg, Watermark

PLACED = frozenset({*LIVE, OcoLeg.Status.FILLED})
ENDED = frozenset({"CANCELED", "EXPIRED"})
ZERO = Decimal(0)
SHOWN_CLOSED = timedelta(hours=24)
WAITS = "WAITS"


class Leg(Protocol):
    """An order of the newest generation, however it was read."""

    @property
    def order_role(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def trigger_price(self) -> Decimal | None: ...


def target_placed(*, requested: Decimal | None, legs: Iterable[Leg], is_closed: bool) -> Decimal | None:
    """The take-profit price as it rests on the exchange, which may differ from the requested one (rule 3): that of the
    newest order that rests or was filled; of a closed group also of one that rested until then.
    """
    prices = [leg.price for leg in _resting(legs, Role.TAKE_PROFIT, is_closed)]
    return next((price for price in reversed(prices) if price is not None), requested)


def stop_placed(*, requested: Decimal, legs: Iterable[Leg], is_closed: bool) -> Decimal:
    """The trigger price as it rests on the exchange, also after somebody moved it there; else the requested one."""
    prices = [leg.trigger_price for leg in _resting(legs, Role.STOP_LOSS, is_closed)]
    return next((price for price in reversed(prices) if price is not None), requested)


def _resting(legs: Iterable[Leg], role: Role, is_closed: bool) -> list[Leg]:
    statuses = PLACED | ENDED if is_closed else PLACED
    return [leg for leg in legs if leg.order_role == role and leg.status in statuses]


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
    """One group as shown, with the legs of its newest generation; both prices as they rest on the exchange."""

    oco_group_id: UUID
    instrument_name: str
    state: str
    shown_state: str
    link: str
    quantity: Decimal
    entry_price: Decimal | None
    stop_price: Decimal
    take_profit_price: Decimal | None
    entry_order_id: str | None
    legs: tuple[LegRow, ...]
    created_at: datetime
    closed_at: datetime | None
    reason: Reason | None
    events: tuple[OcoEvent, ...] = ()  # only where they were asked for


def groups_open() -> QuerySet[OcoGroup]:
    return OcoGroup.objects.filter(closed_at=None)


def groups_shown(*, now: datetime) -> QuerySet[OcoGroup]:
    """The open ones, and those closed in the last 24 hours."""
    return OcoGroup.objects.filter(Q(closed_at=None) | Q(closed_at__gt=now - SHOWN_CLOSED))


class GroupProblem(StrEnum):
    """What a user filters problems by."""

    UNPROTECTED = "unprotected"
    UNKNOWN = "unknown"
    STOP_FAILED = "stop-failed"


PROBLEM_FILTERS = {
    GroupProblem.UNPROTECTED: Q(closed_at=None, state__in=sorted(UNPROTECTED)),
    GroupProblem.UNKNOWN: Q(state=State.UNKNOWN),
    GroupProblem.STOP_FAILED: Q(state=State.STOP_FAILED),
}


def groups_filtered(*, danger: str = "", state: str = "", instrument: str = "") -> QuerySet[OcoGroup]:
    """The open ones first, then the newest. Without a filter, all groups."""
    found = OcoGroup.objects.select_related("lot")
    if danger:
        found = found.filter(PROBLEM_FILTERS[GroupProblem(danger)])
    if state:
        found = found.filter(state=state)
    if instrument:
        found = found.filter(instrument_name=instrument)
    return found.order_by(F("closed_at").desc(nulls_first=True), "-created_at", "oco_group_id")


def group_instruments() -> list[str]:
    """The instruments that ever had a group."""
    return sorted(OcoGroup.objects.order_by().values_list("instrument_name", flat=True).distinct())


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
        shown_state=group.shown_state,
        link=group.link,
        quantity=group.quantity,
        entry_price=group.entry_price,
        stop_price=stop_placed(requested=group.stop_price, legs=legs, is_closed=group.closed_at is not None),
        take_profit_price=target_placed(
            requested=group.take_profit_price, legs=legs, is_closed=group.closed_at is not None
        ),
        entry_order_id=group.entry_order_id or None,
        legs=tuple(legs),
        created_at=group.created_at,
        closed_at=group.closed_at,
        reason=group.stored_reason,
    )


def group_events(group_id: UUID) -> QuerySet[OcoEvent]:
    """The event log of one group, oldest first."""
    return OcoEvent.objects.filter(group_id=group_id).order_by("at", "id")


def events_unreported() -> QuerySet[OcoEvent]:
    """Not reported to the user yet, oldest first."""
    return OcoEvent.objects.filter(told=False).select_related("group__lot").order_by("id")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprotectedGroup:
    """`quantity` coins of `group` have had no stop, or no buy-back order, since `since`."""

    group: OcoGroup
    quantity: Decimal
    since: datetime

    @property
    def is_partial(self) -> bool:
        return self.group.state == State.ACTIVE


def group_coverage(group: OcoGroup, *, is_sent: bool = False) -> GroupCoverage:
    """One open group as `oco.engine.coverage` looks at it; `is_sent`: orders were sent and are not confirmed yet."""
    lot, since = group.lot, group.uncovered_since
    if group.state == State.ACTIVE:
        since = None if lot.short_since is None else max(lot.short_since, group.state_since)
    return GroupCoverage(
        instrument_name=group.instrument_name,
        state=State(group.state),
        quantity=group.quantity,
        owned=lot.owned,
        is_sent=is_sent,
        reason=group.stored_reason,
        since=since,
    )


def unprotected_quantities(groups: Sequence[OcoGroup]) -> dict[UUID, Decimal]:
    """By open group of `groups`: coins without a confirmed order of ours and without an external stop (rule 2).

    An external stop covers the oldest groups of its coin first, and each of its coins once; it never buys back.
    Two queries when something is unprotected, and one more when an external stop may cover it.
    """
    ticks = _ticks(groups)
    found = {group.pk: _unprotected(group, ticks) for group in groups}
    sold = {
        group.lot.base_ccy for group in groups if found[group.pk] and group.lot.exit_side is ExitSide.SELL
    }
    covered = {coin: one.covered for coin, one in external_reservations_read().items()} if sold else {}
    covered = {coin: quantity for coin, quantity in covered.items() if quantity and coin in sold}
    if not covered:
        return found
    siblings = groups_open().filter(lot__base_ccy__in=covered, lot__side=Lot.Side.BUY).select_related("lot")
    oldest_first = list(siblings.order_by("created_at", "pk"))
    ticks = _ticks(oldest_first)
    for coin, quantity in covered.items():
        of_coin = [group for group in oldest_first if group.lot.base_ccy == coin]
        left = behind_external_stops([_unprotected(group, ticks) for group in of_coin], quantity)
        found |= {group.pk: rest for group, rest in zip(of_coin, left, strict=True) if group.pk in found}
    return found


def _unprotected(group: OcoGroup, ticks: Mapping[str, Decimal]) -> Decimal:
    return group_coverage(group).unprotected(tick=ticks.get(group.instrument_name))


def unprotected_groups_read(*, now: datetime, longer_than: timedelta) -> list[UnprotectedGroup]:
    """The open groups that have had coins without a stop for `longer_than`, oldest first (invariant
    *No silent nakedness*): whole lots, and parts that no order is for.
    """
    moment = now - longer_than
    late = Q(uncovered_since__lt=moment) | Q(state=State.ACTIVE, lot__short_since__lt=moment)
    groups = list(groups_open().filter(late).select_related("lot").order_by("created_at", "pk"))
    found = unprotected_quantities(groups)
    return [
        UnprotectedGroup(
            group=group, quantity=found[group.pk], since=group_coverage(group).since or group.state_since
        )
        for group in groups
        if found[group.pk]
    ]


@dataclass(frozen=True, slots=True)
class UndecidedTrades:
    """The instruments of trades since the first complete read that belong to no lot yet; or executions since then are
    still to be read.

    By instrument: `bought` is what these trades bought, after fees; `rests` is what closed lots left for the next lot.
    """

    instruments: frozenset[str]
    has_gap: bool
    bought: Mapping[str, Decimal] = field(default_factory=dict)
    rests: Mapping[str, Decimal] = field(default_factory=dict)

    def may_concern(self, currency: str, *, waiting: Collection[str] = ()) -> bool:
        """Whether they say something of the currency, beyond those of `waiting` that are only too small."""
        names = self.instruments.difference(waiting)
        return self.has_gap or any(currency in name.split("_") for name in names)

    def rests_of(self, currency: str) -> Decimal:
        return sum((quantity for name, quantity in self.rests.items() if base_of(name) == currency), ZERO)


def undecided_trades() -> UndecidedTrades:
    """One query."""
    since = Subquery(Watermark.objects.order_by().values("since_ns")[:1])
    trades = Trade.objects.filter(is_new=True, create_time_ns__gte=since).order_by()
    gaps = HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=since).order_by()
    lots = Lot.objects.filter(waits=True).order_by()
    nothing, none = Value(ZERO, output_field=ExactDecimalField()), Value("")
    rows = trades.values_list("instrument_name", "side", "quantity", "fee", nothing, "fee_currency").union(
        gaps.values_list(none, none, nothing, nothing, nothing, none),
        lots.values_list("instrument_name", Value(WAITS), "bought", "sold", "gone", none),
        all=True,
    )
    names, bought, rests = set[str](), dict[str, Decimal](), dict[str, Decimal]()
    for name, kind, quantity, fee_or_sold, gone, fee_currency in rows:
        if kind == WAITS:
            rests[name] = rests.get(name, ZERO) + max(quantity - fee_or_sold - gone, ZERO)
            continue
        names.add(name)
        if kind == "BUY":
            net = net_of_fee(quantity, fee=fee_or_sold, fee_currency=fee_currency, base=base_of(name))
            bought[name] = bought.get(name, ZERO) + net
    return UndecidedTrades(frozenset(names - {""}), has_gap="" in names, bought=bought, rests=rests)


def _ticks(groups: Sequence[OcoGroup]) -> dict[str, Decimal]:
    names = {group.instrument_name for group in groups if group.state == State.ACTIVE}
    rows = Instrument.objects.filter(symbol__in=names) if names else Instrument.objects.none()
    return dict(rows.values_list("symbol", "qty_tick_size"))


# Orders placed by a user or another program: what they reserve and what they protect

RESERVING_COLUMNS = (
    *("name_space", "order_id", "client_oid", "list_id", "instrument_name", "side", "order_type", "origin"),
    *("quantity", "filled_quantity", "price", "trigger_price"),
)


def external_reservations_read(
    instruments: Mapping[str, Instrument] | None = None,
    open_order_rows: Iterable[Any] | None = None,
) -> dict[str, ExternalReservation]:
    """By currency, what the open orders that we did not send may spend, in either name space.

    Orders of derivatives spend no coins, and their stops cover none. `instruments` by symbol and
    `open_order_rows` (models, or rows of `RESERVING_COLUMNS`) of both name spaces save a query each.
    """
    origin = ExchangeOrder.Origin.FOREIGN
    if open_order_rows is None:
        rows = ExchangeOrder.objects.filter(is_open=True, is_mirror=False, origin=origin).order_by()
        open_order_rows = rows.values_list(*RESERVING_COLUMNS, named=True)  # there may be a thousand
    found = [order for order in open_order_rows if order.origin == origin]
    external = [order for order in found if not is_derivative(order.instrument_name)]
    known = _own_names(external) | _advanced_names(external)
    orders = [order for order in external if not _is_duplicate_listing(order, known)]
    if instruments is None:
        instruments = Instrument.objects.in_bulk(
            {order.instrument_name for order in orders}, field_name="symbol"
        )
    pairs = {symbol: (row.base_ccy, row.quote_ccy) for symbol, row in instruments.items()}
    return reserve(_external_order(order, pairs) for order in orders)


def _own_names(orders: Iterable[Any]) -> set[tuple[str, str, str]]:
    oids = {order.client_oid for order in orders} - {""}
    legs = OcoLeg.objects.filter(client_oid__any_of=oids)
    return set(legs.values_list("client_oid", "group__instrument_name", "side")) if oids else set()


def _advanced_names(orders: Iterable[Any]) -> set[tuple[str, str, str]]:
    """Of orders that may be listed a second time in the plain name space, under an unrelated id (dossier 6.2)."""
    advanced = [order for order in orders if order.name_space == ExchangeOrder.NameSpace.ADVANCED]
    return {(order.client_oid, order.instrument_name, order.side) for order in advanced if order.client_oid}


def _is_duplicate_listing(order: Any, known: set[tuple[str, str, str]]) -> bool:
    """The plain listing of an advanced order, ours or not, with its client_oid (dossier 6.2)."""
    plain = order.name_space == ExchangeOrder.NameSpace.PLAIN
    return plain and (order.client_oid, order.instrument_name, order.side) in known


def _external_order(order: Any, pairs: Mapping[str, tuple[str, str]]) -> ExternalOrder:
    """A sell order spends its base; a buy order its quote, at its price (rule 10)."""
    base, _, quote = order.instrument_name.partition("_")
    base, quote = pairs.get(order.instrument_name, (base, quote))
    rest, sells = (order.quantity or ZERO) - order.filled_quantity, order.side == "SELL"
    price = order.price or order.trigger_price or ZERO
    return ExternalOrder(
        order_id=order.order_id,
        list_id=order.list_id,
        currency=base if sells else quote,
        quantity=max(rest if sells else rest * price, ZERO),
        is_stop=sells and order.order_type in STOP_ORDER_TYPES,
        trigger=order.trigger_price,
        limit=order.price,
        quote=quote,
    )
