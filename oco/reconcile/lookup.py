"""Looking for legs whose fate is not known (rule 6).

When a leg that cannot be found is absent (pure, rule 6). Unknown is neither open nor absent.

After sending: one read of the open list for all groups, and the records of what is not in it (rule 5).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.db import transaction

from exchange.client.errors import ExchangeError
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.schemas import NameSpace, Order
from exchange.sync.fetch import Key
from exchange.sync.orders import order_record_all
from oco.engine.types import LookUp, Role
from oco.models import OcoGroup, OcoLeg
from oco.reconcile.context import Watch

NEEDED = 2
AFTER_SENDING = timedelta(seconds=10)
AFTER_MARKET = timedelta(seconds=60)  # its nonce is dead by then: a late request can no longer execute


class Verdict(StrEnum):
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is known of a leg that was sent and is not found: `looks` healthy ones so far found nothing."""

    sent_at: datetime
    is_market: bool = False
    exists: bool = False  # the exchange answered 204: it lives, whatever a list says
    looks: int = 0


def look(search: Search, *, at: datetime, healthy: bool) -> tuple[int, Verdict]:
    """(healthy looks, verdict) after one more that found nothing. An unhealthy look proves nothing."""
    if not healthy:
        return search.looks, Verdict.UNKNOWN
    looks = search.looks + 1
    wait = AFTER_MARKET if search.is_market else AFTER_SENDING
    absent = looks >= NEEDED and at - search.sent_at >= wait and not search.exists
    return looks, Verdict.ABSENT if absent else Verdict.UNKNOWN


Status = OcoLeg.Status


def legs_look_up(*, watch: Watch, group: OcoGroup, action: LookUp) -> None:
    """One look at each leg, by its name, in both name spaces; what is found is recorded and speaks for itself."""
    for leg in OcoLeg.objects.filter(client_oid__in=action.client_oids, group=group):
        found, healthy = _details(watch, leg)
        _record(watch, found)
        if any(order.name_space == leg.name_space for order in found):
            _looked(watch, leg)
        else:
            _not_found(watch, leg, healthy=healthy and not found)


def _details(watch: Watch, leg: OcoLeg) -> tuple[list[Order], bool]:
    """What details, by name or else by id, know of the leg, and whether every one of them answered."""
    found, healthy = [], True
    for name_space, asked in _questions(leg):
        try:
            order = watch.client.order_detail(name_space, **asked)
        except ExchangeError as error:
            watch.errors.append(f"Looking for an order of ours: {error}")
            healthy = False
        else:
            found += [order] if order is not None and order.client_oid == leg.client_oid else []
    return found, healthy


def _questions(leg: OcoLeg) -> Iterable[tuple[NameSpace, dict[str, str]]]:
    if leg.order_id:
        yield NameSpace(leg.name_space), {"order_id": leg.order_id}
    for name_space in NameSpace:
        yield name_space, {"client_oid": leg.client_oid}


def _unexplained_trades(leg: OcoLeg) -> bool:
    """Trades since it was sent that no order we have a record of made: one of them may be this one.

    Fills of a triggered order may carry ids that nothing else names (dossier 11.2): what such orders executed
    beyond the fills that name them explains as much.
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


def _record(watch: Watch, orders: Sequence[Order]) -> None:
    with transaction.atomic():
        watch.held.renew()
        order_record_all(orders=orders, now=watch.clock())
    watch.seen |= {(str(order.name_space), order.order_id) for order in orders}


def _looked(watch: Watch, leg: OcoLeg) -> None:
    OcoLeg.objects.filter(pk=leg.pk).update(looked_at=watch.now(), looks=0)


def _not_found(watch: Watch, leg: OcoLeg, *, healthy: bool) -> None:
    """Count the look; absent only by the rule. Lists, histories and trades must have been read after it left."""
    whole = watch.facts.histories_read and watch.facts.trades_read and not _unexplained_trades(leg)
    read = watch.lists_read and (whole or leg.sent_at >= watch.started)
    search = Search(
        sent_at=leg.sent_at,
        is_market=leg.order_role == Role.EXIT,
        exists=leg.exists or leg.order_id != "",  # once seen or named, only its record ends it
        looks=leg.looks,
    )
    looks, verdict = look(search, at=watch.now(), healthy=healthy and read)
    status = Status.ABSENT if verdict is Verdict.ABSENT else leg.status
    with transaction.atomic():
        watch.held.renew()
        OcoLeg.objects.filter(pk=leg.pk, status=leg.status).update(
            looked_at=watch.now(),
            looks=looks,
            status=status,
            was_lost=verdict is Verdict.ABSENT or leg.was_lost,
        )


RESTING = (OcoLeg.Status.ACCEPTED, OcoLeg.Status.OPEN)


def sent_confirm(*, watch: Watch) -> set[Key]:
    """Read back what was placed and what was cancelled; the orders of which there is news. What cannot be
    read stays as it was.
    """
    try:
        listed = watch.client.open_orders(NameSpace.ADVANCED)
    except ExchangeError as error:
        watch.errors.append(f"Reading back: {error}")
        watch.lists_read = False
        return set()
    found = [*listed, *_elsewhere(watch, listed)]
    plain = {key for key in watch.seen if key[0] != NameSpace.ADVANCED}
    watch.seen = plain | {_key(order) for order in found}
    news = [order for order in found if watch.told.get(_key(order)) != order]
    watch.told |= {_key(order): order for order in news}
    with transaction.atomic():
        watch.held.renew()
        order_record_all(orders=news, now=watch.clock())
    return {_key(order) for order in news}


def _key(order: Order) -> Key:
    return str(order.name_space), order.order_id


def _elsewhere(watch: Watch, listed: Sequence[Order]) -> Iterator[Order]:
    """The records of legs of ours that rested, or were just accepted, and are not in the list.

    Their groups are decided again, also when no record can be read: their cover was not seen (rule 5).
    """
    ids, names = {order.order_id for order in listed}, {order.client_oid for order in listed}
    resting = OcoLeg.objects.filter(status__in=RESTING).values_list("pk", "order_id", "client_oid")
    lost = [pk for pk, order_id, name in resting if order_id not in ids and name not in names]
    missing = list(OcoLeg.objects.filter(pk__in=lost).select_related("group")) if lost else []
    watch.touched |= {leg.group_id for leg in missing}
    lists = sorted({leg.group.list_id for leg in missing if _is_listed(leg)})
    if lists:
        yield from _read(watch, lambda: watch.client.order_list_detail(lists))
    for leg in missing:
        if not _is_listed(leg):
            yield from _read(watch, lambda leg=leg: _detail(watch, leg))  # type: ignore[misc]


def _is_listed(leg: OcoLeg) -> bool:
    """Whether the leg belongs to the native pair that its group has now (dossier 5.31)."""
    newest = leg.generation == leg.group.generation and leg.order_role != Role.EXIT
    return newest and leg.group.list_id != ""


def _detail(watch: Watch, leg: OcoLeg) -> list[Order]:
    asked = {"order_id": leg.order_id} if leg.order_id else {"client_oid": leg.client_oid}
    order = watch.client.order_detail(NameSpace(leg.name_space), **asked)
    return [order] if order is not None else []


def _read(watch: Watch, ask: Callable[[], list[Order]]) -> list[Order]:
    try:
        return ask()
    except ExchangeError as error:
        watch.errors.append(f"Reading back: {error}")
        return []
