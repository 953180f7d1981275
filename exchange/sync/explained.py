"""How far a stream counts as read: an answer that is empty by error looks as if there were nothing (dossier 10).

So an empty answer takes a stream nowhere for two hours, and then what was asked for once only is left to the slices
between the cycles; and trades do not count as read past an order that executed more than they tell.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.db.models import Q

from exchange.core.utils import ASKED, EPOCH, NS_PER_MS, chunks, from_ms, to_ms
from exchange.models import ExchangeOrder, Trade
from exchange.sync.windows import OVERLAP_NS

LATE = timedelta(minutes=5)  # trades may come so much later than their order
# After so long an order is given up: its trades may carry ids that nothing names (dossier 11.2).
LONGEST = timedelta(hours=2)
ZERO = Decimal(0)
TOLD = (
    *("order_id", "exchange_order_id", "client_oid", "instrument_name"),
    *("filled_quantity", "created_at", "updated_at"),
)


def empty_read_until(*, read_until_ns: int, before_ns: int | None) -> int:
    """How far an answer without rows takes a stream: nowhere, for two hours."""
    if before_ns is None:
        return read_until_ns
    kept = max(before_ns, read_until_ns - to_ms(EPOCH + LONGEST) * NS_PER_MS)
    return min(kept, read_until_ns)  # a clock that ran ahead may have put the cursor into the future


def trades_read_until(*, read_until_ns: int, before_ns: int | None, told_from_ns: int) -> int:
    """`read_until_ns`, or the moment of the first order since `before_ns` whose trades are missing still.

    What executed before `told_from_ns` is left to the slices between the cycles anyway.
    """
    now = from_ms(read_until_ns // NS_PER_MS)
    left_behind = max(now - LONGEST, from_ms(told_from_ns // NS_PER_MS))
    if before_ns is not None:
        left_behind = max(left_behind, from_ms((before_ns - OVERLAP_NS) // NS_PER_MS))
    found = ExchangeOrder.objects.filter(
        updated_at__gt=left_behind, updated_at__lt=now - LATE, has_fills=True, is_mirror=False
    )
    orders = list(found.only(*TOLD).order_by("updated_at"))
    told = _told(orders)
    first = next((order for order in orders if not _is_explained(order, told)), None)
    return read_until_ns if first is None else min(read_until_ns, to_ms(first.updated_at) * NS_PER_MS)


def _told(orders: Iterable[ExchangeOrder]) -> dict[str, Decimal]:
    """What the trades say was executed, by the id that they carry."""
    found: dict[str, Decimal] = {}
    for part in chunks(sorted({name for order in orders for name in _names(order)}), ASKED):
        trades = Trade.objects.filter(order_id__in=part).values_list("order_id", "quantity")
        for name, quantity in trades:
            found[name] = found.get(name, ZERO) + quantity
    return found


def _is_explained(order: ExchangeOrder, told: dict[str, Decimal]) -> bool:
    if sum((told.get(name, ZERO) for name in _names(order)), ZERO) >= order.filled_quantity:
        return True
    named = Q(order_id__in=_names(order))
    if order.client_oid:
        named |= Q(client_oid=order.client_oid)
    since = to_ms(order.created_at) * NS_PER_MS
    trades = Trade.objects.filter(named, instrument_name=order.instrument_name, create_time_ns__gte=since)
    return bool(sum(trades.values_list("quantity", flat=True), ZERO) >= order.filled_quantity)


def _names(order: ExchangeOrder) -> set[str]:
    return {order.order_id, order.exchange_order_id} - {""}
