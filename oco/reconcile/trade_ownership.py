"""Which sales are certainly not ours: only those are bought back (rule 4).

Fills of our own orders may carry ids that no order has (dossier 6.2, 11.2). So a sale counts as external only with
a stored external order, and while every execution of ours is explained.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Q

from exchange.core.database import QUERY_BATCH, chunks
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.selectors import orders_named, orders_named_second
from oco.engine.types import PREFIX
from oco.models import OcoLeg
from oco.reconcile.allocation import is_order_unknown
from oco.reconcile.context import CycleContext

ZERO = Decimal(0)
MAX_WAIT = timedelta(minutes=15)  # an unclear sale is waited for so long after it was first seen
LOOKBACK = timedelta(hours=1)


class TradeOwnership(StrEnum):
    OURS = "OURS"
    EXTERNAL = "EXTERNAL"
    UNRESOLVED = "UNRESOLVED"
    UNRESOLVABLE = "UNRESOLVABLE"  # unclear for too long: nothing is bought back for it


class NewTrade(NamedTuple):
    """A stored trade that is not decided yet; there may be thousands."""

    trade_id: str
    order_id: str
    client_oid: str
    instrument_name: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    create_time_ns: int
    first_seen_at: datetime
    reports: list[dict[str, str]]


def sales_classify(*, sales: Sequence[NewTrade], context: CycleContext) -> dict[str, TradeOwnership]:
    """By trade id, from the orders stored now."""
    if not sales:
        return {}
    orders = _orders_of(sales)
    uncertain = _uncertain_instruments({sale.instrument_name for sale in sales}, context)
    found: dict[str, TradeOwnership] = {}
    for sale in sales:
        ownership = _ownership(sale, orders.get(sale.order_id, ()))
        is_late = (
            sale.create_time_ns >= context.reads.started_ns
        )  # the lists that explain our orders are older
        if ownership is TradeOwnership.EXTERNAL and (is_late or sale.instrument_name in uncertain):
            ownership = TradeOwnership.UNRESOLVED
        if ownership is TradeOwnership.UNRESOLVED and _is_timed_out(sale, context):
            ownership = TradeOwnership.UNRESOLVABLE
        found[sale.trade_id] = ownership
    return found


def _is_timed_out(sale: NewTrade, context: CycleContext) -> bool:
    """Only in a cycle that read everything (rule 11)."""
    read = context.reads.histories_read and context.reads.lists_read
    return read and context.clock() - sale.first_seen_at > MAX_WAIT


def _orders_of(sales: Iterable[NewTrade]) -> dict[str, list[ExchangeOrder]]:
    """By either id. Both name spaces may number alike (dossier 5.31)."""
    ids = sorted({sale.order_id for sale in sales})
    found: dict[str, list[ExchangeOrder]] = defaultdict(list)
    for part in chunks(ids, QUERY_BATCH):
        for order in orders_with_ids(part):
            for name in {order.order_id, order.exchange_order_id} & set(part):
                found[name].append(order)
    return found


def orders_with_ids(ids: Sequence[str]) -> Iterator[ExchangeOrder]:
    """The orders with one of these as first or second id, by their indexes; one may come twice."""
    yield from orders_named(ids)
    yield from orders_named_second(ids).exclude(order_id__in=ids)


def _ownership(sale: NewTrade, orders: Iterable[ExchangeOrder]) -> TradeOwnership:
    """Our prefix on the sale, or on any order that it may belong to, is enough to count it as ours."""
    same = [each for each in orders if (each.side, each.instrument_name) == (sale.side, sale.instrument_name)]
    if any(
        client_oid.startswith(PREFIX) for client_oid in (sale.client_oid, *(each.client_oid for each in same))
    ):
        return TradeOwnership.OURS
    origins = {each.origin for each in same if not each.is_mirror}
    if origins == {ExchangeOrder.Origin.OURS}:
        return TradeOwnership.OURS
    return TradeOwnership.EXTERNAL if origins == {ExchangeOrder.Origin.FOREIGN} else TradeOwnership.UNRESOLVED


def _uncertain_instruments(names: set[str], context: CycleContext) -> set[str]:
    """Instruments in which an order of ours may have sold something that no known sale explains yet."""
    if not (context.reads.histories_read and context.reads.lists_read):
        return names
    recent = Q(group__closed_at=None) | Q(group__closed_at__gt=context.started - LOOKBACK)
    legs = OcoLeg.objects.filter(recent, group__instrument_name__in=names, side="SELL")
    return {
        leg.group.instrument_name
        for leg in legs.select_related("group")
        if is_order_unknown(leg.status, (leg.name_space, leg.order_id), context)
        or leg.executed > _attributed_quantity(leg)
    }


def _attributed_quantity(leg: OcoLeg) -> Decimal:
    """The sum of the sales that belong to the leg."""
    if not leg.executed:
        return ZERO
    ids = {leg.order_id, leg.exchange_order_id} - {""}
    since = to_ms(leg.executes_from) * NS_PER_MS
    pair = Trade.objects.filter(instrument_name=leg.group.instrument_name, create_time_ns__gte=since)
    named = pair.filter(Q(client_oid=leg.client_oid) | Q(order_id__in=ids), side="SELL")
    return sum(named.values_list("quantity", flat=True), ZERO)
