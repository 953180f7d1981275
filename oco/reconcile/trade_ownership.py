"""Which sales are certainly not ours: only those are bought back (rule 4).

What our own orders sold may be told under ids that nothing names (dossier 6.2, 11.2). So a sale counts as somebody
else's only by the record of an order of theirs, and while nothing that ours executed is unexplained.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from django.db.models import Q

from exchange.core.chunks import ASKED, chunks
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import ExchangeOrder, Trade
from oco.models import OcoLeg
from oco.reconcile.allocation import is_unknown
from oco.reconcile.context import Watch
from oco.reconcile.execution import PREFIX

ZERO = Decimal(0)
PATIENCE = timedelta(minutes=15)  # for so long after it was first seen an unclear sale is waited for
LOOKED_BACK = timedelta(hours=1)


class Whose(StrEnum):
    OURS = "OURS"
    THEIRS = "THEIRS"
    UNCLEAR = "UNCLEAR"
    NEVER_KNOWN = "NEVER_KNOWN"  # unclear for so long that nothing is bought for it


def sales_judge(*, sales: Sequence[Trade], watch: Watch) -> dict[str, Whose]:
    """By trade id, from the records as they are now."""
    if not sales:
        return {}
    orders = _orders_of(sales)
    doubted = _doubted({sale.instrument_name for sale in sales}, watch)
    found: dict[str, Whose] = {}
    for sale in sales:
        whose = _whose(sale, orders.get(sale.order_id, ()))
        is_late = sale.create_time_ns >= watch.facts.started_ns  # the lists that clear our orders are older
        if whose is Whose.THEIRS and (is_late or sale.instrument_name in doubted):
            whose = Whose.UNCLEAR
        if whose is Whose.UNCLEAR and _is_given_up(sale, watch):
            whose = Whose.NEVER_KNOWN
        found[sale.trade_id] = whose
    return found


def _is_given_up(sale: Trade, watch: Watch) -> bool:
    """Only in a cycle that read everything (rule 11)."""
    read = watch.facts.histories_read and watch.facts.lists_read
    return read and watch.clock() - sale.first_seen_at > PATIENCE


def _orders_of(sales: Iterable[Trade]) -> dict[str, list[ExchangeOrder]]:
    """By either id. Both name spaces may number alike (dossier 5.31)."""
    ids = sorted({sale.order_id for sale in sales})
    found: dict[str, list[ExchangeOrder]] = defaultdict(list)
    for part in chunks(ids, ASKED):
        for order in orders_named(part):
            for name in {order.order_id, order.exchange_order_id} & set(part):
                found[name].append(order)
    return found


def orders_named(ids: Sequence[str]) -> Iterator[ExchangeOrder]:
    """The orders that carry one of these as first or second id, by their indexes; one may come twice."""
    spaces = ExchangeOrder.NameSpace.values
    yield from ExchangeOrder.objects.filter(name_space__in=spaces, order_id__in=ids)
    second = ExchangeOrder.objects.exclude(exchange_order_id="").filter(exchange_order_id__in=ids)
    yield from second.exclude(order_id__in=ids)


def _whose(sale: Trade, orders: Iterable[ExchangeOrder]) -> Whose:
    """Our mark on the sale, or on any order that it may be of, is enough to leave it alone."""
    same = [each for each in orders if (each.side, each.instrument_name) == (sale.side, sale.instrument_name)]
    if any(name.startswith(PREFIX) for name in (sale.client_oid, *(each.client_oid for each in same))):
        return Whose.OURS
    origins = {each.origin for each in same if not each.is_mirror}
    if origins == {ExchangeOrder.Origin.OURS}:
        return Whose.OURS
    return Whose.THEIRS if origins == {ExchangeOrder.Origin.FOREIGN} else Whose.UNCLEAR


def _doubted(names: set[str], watch: Watch) -> set[str]:
    """Instruments in which an order of ours may have sold something that no sale names yet."""
    if not (watch.facts.histories_read and watch.facts.lists_read):
        return names
    recent = Q(group__closed_at=None) | Q(group__closed_at__gt=watch.started - LOOKED_BACK)
    legs = OcoLeg.objects.filter(recent, group__instrument_name__in=names, side="SELL")
    return {
        leg.group.instrument_name
        for leg in legs.select_related("group")
        if is_unknown(leg.status, (leg.name_space, leg.order_id), watch) or leg.executed > _named(leg)
    }


def _named(leg: OcoLeg) -> Decimal:
    """What the sales that name it add up to; asked only of a leg that executed."""
    if not leg.executed:
        return ZERO
    ids = {leg.order_id, leg.exchange_order_id} - {""}
    since = to_ms(leg.executes_from) * NS_PER_MS
    pair = Trade.objects.filter(instrument_name=leg.group.instrument_name, create_time_ns__gte=since)
    named = pair.filter(Q(client_oid=leg.client_oid) | Q(order_id__in=ids), side="SELL")
    return sum(named.values_list("quantity", flat=True), ZERO)
