"""After sending: one read of the open list for all groups, and the records of what is not in it (rule 5)."""

from collections.abc import Callable, Iterator, Sequence

from django.db import transaction

from exchange.client.errors import ExchangeError
from exchange.schemas import NameSpace, Order
from exchange.sync.fetch import Key
from exchange.sync.orders import order_record_all
from oco.engine.types import Role
from oco.models.leg import OcoLeg
from oco.reconcile.watch import Watch

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
