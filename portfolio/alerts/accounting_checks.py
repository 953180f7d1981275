"""Checks of the records of the account: fills that were never recorded or of an instrument that no table knows, and
balance changes that no fill explains.

A balance change is no error in itself (deposits, withdrawals, rewards and interest are no fills), but it is how a
stolen key or account would show. A fill that was never recorded cannot be explained, and may be an entry without a
stop.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from exchange.core.reasons import Reason, reason
from exchange.core.times import NS_PER_MS, from_ms
from exchange.models import ExchangeOrder, HistoryRange, SyncCursor
from exchange.models.sync import Stream
from exchange.selectors import orders_executed, reported_quantities
from oco.engine.states import State
from oco.models import Lot, OcoEvent, Watermark
from portfolio.alerts.incidents import Incident, incident_open, incident_resolve
from portfolio.models import Alert, BalanceChange

SETTLE_TIME = timedelta(minutes=10)  # a fill may be listed later than its order
LOOKBACK = timedelta(days=1)
MAX_ORDERS = 500
MISSING_FILLS_PREFIX = "trades "
INSTRUMENT_PREFIX = "instrument "
CLOSING_WINDOW = timedelta(
    minutes=5
)  # between a balance change and the closing of a group with the same cause


def check_missing_fills(*, now: datetime) -> None:
    """One incident an order: its recorded fills do not add up to what the exchange says it executed."""
    known = [row.condition.removeprefix(MISSING_FILLS_PREFIX) for row in _open_alerts()]
    waiting = {order.pk: order for order in ExchangeOrder.objects.filter(pk__in=known)}
    orders = waiting | {order.pk: order for order in _settled_orders(now)}
    recorded = reported_quantities(orders.values())
    for order in orders.values():
        quantity = recorded.get(order.pk, Decimal())
        if quantity < order.filled_quantity:
            incident_open(incident=_missing_fills(order, quantity), now=now)
        elif order.pk in waiting:
            incident_resolve(
                key=f"{MISSING_FILLS_PREFIX}{order.pk}", reason=reason("FILLS_RECORDED"), now=now
            )


def check_unknown_instruments(*, names: Collection[str], now: datetime) -> None:
    """One incident for each name that the account shows and the catalogue does not contain, even after it was read
    again: what was bought of it has no stop.
    """
    for name in names:
        unknown = reason("UNKNOWN_INSTRUMENT", instrument=name)
        incident_open(
            incident=Incident(
                key=f"{INSTRUMENT_PREFIX}{name}",
                kind=Alert.Kind.INSTRUMENT,
                reason=unknown,
                instrument_name=name,
            ),
            now=now,
        )
    for alert in Alert.objects.filter(kind=Alert.Kind.INSTRUMENT, ended_at=None).exclude(condition=""):
        if alert.condition.removeprefix(INSTRUMENT_PREFIX) not in names:
            incident_resolve(key=alert.condition, reason=reason("INSTRUMENT_KNOWN"), now=now)


def report_balance_changes(*, now: datetime) -> None:
    """Report each recorded change once, with the note that it was reported in the same transaction."""
    for row in BalanceChange.objects.filter(reported=False).order_by("id"):
        with transaction.atomic():
            if BalanceChange.objects.filter(pk=row.pk, reported=False).update(reported=True):
                _report_balance_change(row, now)


def _open_alerts() -> Iterable[Alert]:
    return Alert.objects.filter(kind=Alert.Kind.TRADES, ended_at=None).exclude(condition="")


def _settled_orders(now: datetime) -> list[ExchangeOrder]:
    """Orders created after the first complete read whose fills must have been read since."""
    start_ns = Watermark.objects.values_list("since_ns", flat=True).first()
    cursor = SyncCursor.objects.filter(stream=Stream.TRADES).first()
    if start_ns is None or cursor is None:
        return []
    if HistoryRange.objects.filter(stream=Stream.TRADES, done_at=None, end_ns__gt=start_ns).exists():
        return []  # what is missing may be in a range that is still to be read
    until = min(now, _moment(cursor.read_until_ns)) - SETTLE_TIME
    recent = orders_executed().filter(updated_at__gt=now - LOOKBACK, updated_at__lt=until)
    return list(recent.filter(created_at__gt=_moment(start_ns))[:MAX_ORDERS])


def _missing_fills(order: ExchangeOrder, recorded: Decimal) -> Incident:
    return Incident(
        key=f"{MISSING_FILLS_PREFIX}{order.pk}",
        kind=Alert.Kind.TRADES,
        reason=reason(
            "MISSING_FILLS",
            instrument=order.instrument_name,
            order=order.order_id,
            executed=order.filled_quantity,
            recorded=recorded,
        ),
        instrument_name=order.instrument_name,
    )


def _report_balance_change(row: BalanceChange, now: datetime) -> None:
    key = f"drift {row.currency} {row.since_ns}"
    if row.is_reversal:
        incident_resolve(key=key, reason=_change_reason("BALANCE_REVERTED", row), now=now)
        return
    if row.change > 0:
        found = _change_reason("BALANCE_INCREASED", row)
    else:
        found = sum(
            (reason(code) for code in _related_closures(row)), _change_reason("BALANCE_DECREASED", row)
        )
    incident_open(incident=Incident(key=key, kind=Alert.Kind.DRIFT, reason=found), now=now)


def _change_reason(code: str, row: BalanceChange) -> Reason:
    amount = abs(row.change)
    return reason(
        code,
        currency=row.currency,
        amount=amount,
        value=None if row.price_usd is None else amount * row.price_usd,
        since=_moment(row.since_ns),
    )


def _related_closures(row: BalanceChange) -> Iterator[str]:
    """The same decrease may have closed a protection or a buy-back, which has an alert of its own."""
    closed = OcoEvent.objects.filter(new=State.CLOSED_BY_HAND, at__gt=_moment(row.since_ns) - CLOSING_WINDOW)
    if closed.filter(group__lot__side=Lot.Side.BUY, group__lot__base_ccy=row.currency).exists():
        yield "CLOSED_PROTECTION"
    if closed.filter(group__lot__side=Lot.Side.SELL, group__lot__quote_ccy=row.currency).exists():
        yield "CLOSED_BUY_BACK"


def _moment(at_ns: int) -> datetime:
    return from_ms(at_ns // NS_PER_MS)
