"""Do the stored executions add up to what the exchange says an order executed?

Balances are no such proof (`drift.py` tells them apart): coins come and go by deposit, withdrawal, reward and
interest, which the account's trades do not tell. An execution that we never stored, though, cannot be explained,
and may be an entry without a stop.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from exchange.core.times import NS_PER_MS, from_ms
from exchange.models import ExchangeOrder, HistoryRange, SyncCursor, Trade
from exchange.models.sync import Stream
from exchange.selectors import orders_executed
from oco.models import Watermark
from portfolio.alerts.conditions import Incident, incident_open, incident_resolve
from portfolio.formatting import amount_text, instrument_label
from portfolio.models import Alert

SETTLE_TIME = timedelta(minutes=10)  # an execution may be listed later than its order
LOOKBACK = timedelta(days=1)
MAX_ORDERS = 500
MISSING_FILLS_PREFIX = "trades "


def check_missing_fills(*, now: datetime) -> None:
    """One alert an order; it ends when that order's executions have come."""
    known = [row.condition.removeprefix(MISSING_FILLS_PREFIX) for row in _open_alerts()]
    waiting = {order.pk: order for order in ExchangeOrder.objects.filter(pk__in=known)}
    orders = waiting | {order.pk: order for order in _settled_orders(now)}
    stored = _stored_quantities(orders.values())
    for order in orders.values():
        if stored[order.pk] < order.filled_quantity:
            incident_open(incident=_incident(order, stored[order.pk]), now=now)
        elif order.pk in waiting:
            incident_resolve(
                condition=f"{MISSING_FILLS_PREFIX}{order.pk}",
                text=_("The missing fills are now recorded."),
                now=now,
            )


def _open_alerts() -> Iterable[Alert]:
    return Alert.objects.filter(kind=Alert.Kind.TRADES, ended_at=None).exclude(condition="")


def _settled_orders(now: datetime) -> list[ExchangeOrder]:
    """Orders from after the first complete read whose executions must have been read since."""
    start_ns = Watermark.objects.values_list("since_ns", flat=True).first()
    cursor = SyncCursor.objects.filter(stream=Stream.TRADES).first()
    if start_ns is None or cursor is None:
        return []
    if HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=start_ns).exists():
        return []  # a stretch is still to be read: what is missing may be in it
    until = min(now, from_ms(cursor.read_until_ns // NS_PER_MS)) - SETTLE_TIME
    begun = from_ms(start_ns // NS_PER_MS)
    recent = orders_executed().filter(updated_at__gt=now - LOOKBACK, updated_at__lt=until)
    return list(recent.filter(created_at__gt=begun)[:MAX_ORDERS])


def _stored_quantities(orders: Iterable[ExchangeOrder]) -> dict[int, Decimal]:
    """By order what its executions add up to, under either of its ids (dossier 6.2)."""
    owners = {
        name: order.pk for order in orders for name in (order.order_id, order.exchange_order_id) if name
    }
    sums = dict.fromkeys(owners.values(), Decimal(0))
    for order_id, quantity in Trade.objects.filter(order_id__in=owners).values_list("order_id", "quantity"):
        sums[owners[order_id]] += quantity
    return sums


def _incident(order: ExchangeOrder, stored: Decimal) -> Incident:
    text = _(
        "The exchange reports %(executed)s filled for order %(order)s, but the fills read so "
        "far add up to %(stored)s. The difference may have no stop: check the exchange."
    )
    values = {
        "order": order.order_id,
        "executed": amount_text(order.filled_quantity),
        "stored": amount_text(stored),
    }
    return Incident(
        condition=f"{MISSING_FILLS_PREFIX}{order.pk}",
        kind=Alert.Kind.TRADES,
        title=_("%(name)s: missing fills") % {"name": instrument_label(order.instrument_name)},
        text=text % values,
        instrument_name=order.instrument_name,
    )
