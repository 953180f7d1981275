"""Looking for legs whose fate is not known (rule 6)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import transaction

from exchange.client.errors import ExchangeError
from exchange.core.utils import NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.schemas import NameSpace, Order
from exchange.sync.orders import order_record_all
from oco.engine.types import LookUp, Role
from oco.models.group import OcoGroup
from oco.models.leg import OcoLeg
from oco.reconcile.looks import Search, Verdict, look
from oco.reconcile.watch import Watch

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
