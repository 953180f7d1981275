"""Find out about orders: look up legs of unknown outcome (rule 6), and read back what was sent (rule 5).

Unknown is neither open nor absent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db import transaction

from exchange.client.errors import ExchangeError
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.schemas import NameSpace, Order
from exchange.sync.fetch import OrderKey
from exchange.sync.order_merge import contradicts
from exchange.sync.order_rows import values_of
from exchange.sync.orders import order_record_all
from exchange.sync.read_budget import READ_BACK_WAIT_S
from oco.engine.types import LookUp, Role
from oco.models import LIVE, Lot, OcoGroup, OcoLeg
from oco.reconcile.context import CycleContext, order_key
from oco.reconcile.order_matching import REQUIRED_ANSWERS, EndProof

MIN_LOOKUPS = 2
MIN_AGE = timedelta(seconds=10)
MIN_AGE_MARKET = timedelta(seconds=60)  # its nonce has expired by then: a late request can no longer execute
MAX_ENTRY_ORDERS = 3  # that are asked for to confirm one entry
MAX_PRICE_DIFFERENCE = Decimal("0.02")  # between the fills of a lot and the average of their order
Status = OcoLeg.Status
MAX_CONFIRMED = 20  # orders of a cycle that are asked for once more, because their record waits for proof


class LookupVerdict(StrEnum):
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupState:
    """A leg that was sent and is not found. `looks`: how many healthy look-ups found nothing so far."""

    sent_at: datetime
    is_market: bool = False
    exists: bool = False  # the exchange answered 204: it exists, whatever a list shows
    looks: int = 0


def evaluate_lookup(lookup: LookupState, *, at: datetime, healthy: bool) -> tuple[int, LookupVerdict]:
    """(healthy look-ups, verdict) after one more that found nothing. An unhealthy one proves nothing."""
    if not healthy:
        return lookup.looks, LookupVerdict.UNKNOWN
    looks = lookup.looks + 1
    min_age = MIN_AGE_MARKET if lookup.is_market else MIN_AGE
    absent = looks >= MIN_LOOKUPS and at - lookup.sent_at >= min_age and not lookup.exists
    return looks, LookupVerdict.ABSENT if absent else LookupVerdict.UNKNOWN


def legs_look_up(*, context: CycleContext, group: OcoGroup, action: LookUp) -> None:
    """Look up each leg once by its `client_oid`, in both name spaces, and store the orders that are found."""
    for leg in OcoLeg.objects.filter(client_oid__in=action.client_oids, group=group):
        found, healthy = _order_details(context, leg)
        _record(context, found)
        if any(order.name_space == leg.name_space for order in found):
            _mark_found(context, leg)
        else:
            _note_not_found(context, leg, healthy=healthy and not found)


def looks_complete(*, context: CycleContext) -> None:
    """Count the look-ups that found nothing before the histories were read."""
    waiting, context.waiting_looks = context.waiting_looks, {}
    for leg in OcoLeg.objects.filter(pk__in=waiting).select_related("group"):
        _mark_not_found(context, leg, healthy=waiting[leg.pk])
        context.changed_groups.add(leg.group_id)


def _order_details(context: CycleContext, leg: OcoLeg) -> tuple[list[Order], bool]:
    """The orders that carry the `client_oid` of the leg, and whether every request was answered."""
    found, healthy = [], True
    for name_space, params in _lookup_keys(leg):
        try:
            order = context.budget.order_detail(name_space, **params)
        except ExchangeError as error:
            context.errors.append(error.sentence("Looking for an order of ours"))
            healthy = False
        else:
            found += [order] if order is not None and order.client_oid == leg.client_oid else []
    return found, healthy


def fills_to_confirm(*, context: CycleContext, lot: Lot) -> list[Trade]:
    """Those fills of the lot that no answer of a later cycle has confirmed yet."""
    fills = Trade.objects.filter(trade_id__in=lot.trades.values("trade_id"))
    seen_twice = context.reads.started_at - MIN_AGE
    return [fill for fill in fills if fill.disputed_since or fill.first_seen_at > seen_twice]


def orders_agree(*, context: CycleContext, fills: Sequence[Trade]) -> bool:
    """Whether the orders of these fills, asked for once, executed them; True without any."""
    by_order: dict[str, list[Trade]] = {}
    for fill in fills:
        by_order.setdefault(fill.order_id, []).append(fill)
    return len(by_order) <= MAX_ENTRY_ORDERS and all(
        _order_agrees(context, order_id, own) for order_id, own in by_order.items()
    )


def _order_agrees(context: CycleContext, order_id: str, fills: Sequence[Trade]) -> bool:
    """Whether the order, asked for once, executed at least these fills, at their price."""
    first, quantity = fills[0], sum((fill.quantity for fill in fills), Decimal(0))
    value = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
    for name_space in NameSpace:
        try:
            order = context.budget.order_detail(name_space, order_id=order_id)
        except ExchangeError as error:
            context.errors.append(error.sentence("Order", name=order_id))
            return False
        if order is not None and (order.instrument_name, order.side) == (first.instrument_name, first.side):
            average = order.avg_price or Decimal(0)
            is_near = abs(average * quantity - value) <= value * MAX_PRICE_DIFFERENCE
            return order.cumulative_quantity >= quantity and is_near
    return False


def _lookup_keys(leg: OcoLeg) -> Iterable[tuple[NameSpace, dict[str, str]]]:
    if leg.order_id:
        yield NameSpace(leg.name_space), {"order_id": leg.order_id}
    for name_space in NameSpace:
        yield name_space, {"client_oid": leg.client_oid}


def _record(context: CycleContext, orders: Sequence[Order]) -> None:
    with transaction.atomic():
        context.lease.renew()
        order_record_all(orders=orders, now=context.clock())
    context.report(orders)
    context.open_keys |= {order_key(order) for order in orders}


def _mark_found(context: CycleContext, leg: OcoLeg) -> None:
    OcoLeg.objects.filter(pk=leg.pk).update(looked_at=context.now(), looks=0)


def _note_not_found(context: CycleContext, leg: OcoLeg, *, healthy: bool) -> None:
    """Whether the leg is absent may be for the histories to say, which are read after protection has acted."""
    if context.reads.histories_read or leg.sent_at >= context.started:
        _mark_not_found(context, leg, healthy=healthy)
        return
    context.waiting_looks[leg.pk] = healthy
    OcoLeg.objects.filter(pk=leg.pk).update(looked_at=context.now())


def _mark_not_found(context: CycleContext, leg: OcoLeg, *, healthy: bool) -> None:
    """Count the look-up; absent only by rule 6. Lists, histories and trades must have been read after it was sent."""
    whole = context.reads.histories_read and context.reads.trades_read and not _has_unexplained_trades(leg)
    read = context.lists_read and (whole or leg.sent_at >= context.started)
    lookup = LookupState(
        sent_at=leg.sent_at,
        is_market=leg.order_role == Role.EXIT,
        exists=leg.exists or leg.order_id != "",  # once seen or given an id, only its record ends it
        looks=leg.looks,
    )
    looks, verdict = evaluate_lookup(lookup, at=context.now(), healthy=healthy and read)
    status = Status.ABSENT if verdict is LookupVerdict.ABSENT else leg.status
    with transaction.atomic():
        context.lease.renew()
        OcoLeg.objects.filter(pk=leg.pk, status=leg.status).update(
            looked_at=context.now(),
            looks=looks,
            status=status,
            was_lost=verdict is LookupVerdict.ABSENT or leg.was_lost,
        )


def _has_unexplained_trades(leg: OcoLeg) -> bool:
    """Whether there are trades since it was sent that belong to no order we know: one may be of this leg.

    Fills of a triggered order may carry ids that no order has (dossier 11.2): what such orders executed beyond
    their known fills explains as much.
    """
    since, name = leg.executes_from, leg.group.instrument_name
    recent = {"instrument_name": name, "side": leg.side}
    trades = list(Trade.objects.filter(create_time_ns__gte=to_ms(since) * NS_PER_MS, **recent))
    orders = ExchangeOrder.objects.filter(updated_at__gte=since, is_mirror=False, **recent)
    owners = {each: order.pk for order in orders for each in _names(order)}
    left = {order.pk: order.filled_quantity for order in orders}
    nameless = Decimal(0)
    for trade in trades:
        owner = owners.get(trade.order_id) or owners.get(trade.client_oid)
        if owner is None:
            nameless += trade.quantity
        else:
            left[owner] -= trade.quantity
    return nameless > sum((rest for rest in left.values() if rest > 0), Decimal(0))


def _names(order: ExchangeOrder) -> set[str]:
    return {order.order_id, order.exchange_order_id, order.client_oid} - {""}


def read_back_sent(*, context: CycleContext) -> set[OrderKey]:
    """Read back what was placed and cancelled: one read of the open list, then the orders missing from it. However
    long other look-ups took, there is time for these.

    Returns the keys of the orders that changed. What cannot be read stays as it was.
    """
    context.budget.grant(READ_BACK_WAIT_S)
    try:
        with context.client.repeat_at_most(READ_BACK_WAIT_S):
            listed = context.client.open_orders(NameSpace.ADVANCED)
    except ExchangeError as error:
        context.errors.append(error.sentence("Reading back"))
        context.lists_read = False
        return set()
    found = [*listed, *_missing_from_list(context, listed)]
    plain = {key for key in context.open_keys if key[0] != NameSpace.ADVANCED}
    context.open_keys = plain | {order_key(order) for order in found}
    context.listed_keys = {key for key in context.listed_keys if key[0] != NameSpace.ADVANCED}
    context.listed_keys |= {order_key(order) for order in listed}
    context.report(found)
    changed_orders = [order for order in found if context.stored_orders.get(order_key(order)) != order]
    context.stored_orders |= {order_key(order): order for order in changed_orders}
    with transaction.atomic():
        context.lease.renew()
        order_record_all(orders=changed_orders, now=context.clock())
    return {order_key(order) for order in changed_orders}


def _missing_from_list(context: CycleContext, listed: Sequence[Order]) -> Iterator[Order]:
    """The orders of our legs that rested, or were just accepted, and are not in the list.

    Their groups are decided again, also when nothing can be read: their cover was not seen (rule 5).
    """
    ids, client_oids = {order.order_id for order in listed}, {order.client_oid for order in listed}
    resting = OcoLeg.objects.filter(status__in=LIVE).values_list("pk", "order_id", "client_oid")
    lost = [
        pk for pk, order_id, client_oid in resting if order_id not in ids and client_oid not in client_oids
    ]
    missing = list(OcoLeg.objects.filter(pk__in=lost).select_related("group")) if lost else []
    context.changed_groups |= {leg.group_id for leg in missing}
    lists = sorted({leg.group.list_id for leg in missing if _is_in_pair(leg)})
    pairs = _try_read(context, lambda: context.budget.order_list_detail(lists)) if lists else []
    yield from pairs or ()
    for leg in missing:
        if pairs is None or not _is_in_pair(leg):
            yield from _try_read(context, lambda leg=leg: _leg_detail(context, leg)) or ()  # type: ignore[misc]


def _is_in_pair(leg: OcoLeg) -> bool:
    """Whether the leg belongs to the native pair that its group has now (dossier 5.31)."""
    newest = leg.generation == leg.group.generation and leg.order_role != Role.EXIT
    return newest and leg.group.list_id != ""


def _leg_detail(context: CycleContext, leg: OcoLeg) -> list[Order]:
    params = {"order_id": leg.order_id} if leg.order_id else {"client_oid": leg.client_oid}
    order = context.budget.order_detail(NameSpace(leg.name_space), **params)
    return [order] if order is not None else []


def _try_read(context: CycleContext, fetch: Callable[[], list[Order]]) -> list[Order] | None:
    """None when it failed."""
    try:
        return fetch()
    except ExchangeError as error:
        context.errors.append(error.sentence("Reading back"))
        return None


def confirm_ends(
    *,
    context: CycleContext,
    legs: Sequence[OcoLeg],
    orders: Mapping[OrderKey, ExchangeOrder],
    traded: Mapping[str, Decimal],
) -> bool:
    """Ask once more for each order whose record waits for proof; whether anything was read."""
    asked = False
    for leg in legs:
        key = leg.name_space, leg.order_id
        order = orders.get(key)
        if order is None or key in context.confirmed_keys or len(context.confirmed_keys) >= MAX_CONFIRMED:
            continue
        for _ in range(REQUIRED_ANSWERS):
            if EndProof.of(leg, order, traded, context).is_settled:
                break
            context.confirmed_keys.add(key)
            asked = True
            report = _report(context, leg)
            if report is None or contradicts(vars(order), values_of(report)):
                break
    return asked


def _report(context: CycleContext, leg: OcoLeg) -> Order | None:
    """One more answer about the order, stored; None when there is none. That of a pair answers for both orders."""
    try:
        reports = _pair_detail(context, leg) if _is_in_pair(leg) else []
        own = [report for report in reports if report.order_id == leg.order_id]
        if not own:
            reports = own = _leg_detail(context, leg)
    except ExchangeError as error:
        context.errors.append(error.sentence("Confirming what became of an order"))
        return None
    if not own or own[0].client_oid != leg.client_oid:
        return None
    with transaction.atomic():
        context.lease.renew()
        order_record_all(orders=reports, now=context.clock())
    context.report(reports)
    return own[0]


def _pair_detail(context: CycleContext, leg: OcoLeg) -> list[Order]:
    try:
        return context.budget.order_list_detail([leg.group.list_id])
    except ExchangeError:  # the order that is asked for alone then says what is wrong
        return []
