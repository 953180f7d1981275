"""Raises the alerts of a cycle, and records that a user has seen one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from exchange.core.observability import correlated
from exchange.core.reasons import Reason, reason, stored_sentence
from exchange.models import Instrument
from exchange.selectors import decimals_of, orders_named
from exchange.services.permissions import Right, require
from oco.engine.pricing import ExitSide
from oco.engine.reason_codes import ReasonCode
from oco.engine.states import CLOSED, State
from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.presentation.group_detail import fill_of, fills_of
from oco.presentation.risk_reward import percent_from, rate_of, signed_gain
from oco.reconcile.invariant_checks import invariant_violations
from oco.selectors import events_unreported
from portfolio.alerts.accounting_checks import report_balance_changes
from portfolio.alerts.incidents import Incident, alert_raise, incident_open, incident_resolve
from portfolio.alerts.position_checks import check_groups, group_incident
from portfolio.alerts.selectors import alerts_unacknowledged, coin_of
from portfolio.alerts.texts import reason_param
from portfolio.dashboard.selectors import usd_prices
from portfolio.models import Alert, AlertDismissal

Kind = Alert.Kind
ALERT_KINDS = {
    State.CLOSED_BY_STOP: Kind.CLOSED,
    State.CLOSED_BY_TARGET: Kind.CLOSED,
    State.CLOSED_BY_EXIT: Kind.EXIT,  # once, when it is over; a sale that does not end is reported as unprotected
    State.CLOSED_BY_HAND: Kind.CLOSED,
    State.RELEASED: Kind.RELEASED,
}
ZERO = Decimal(0)
CLOSED_BY_FILL = frozenset({State.CLOSED_BY_STOP, State.CLOSED_BY_TARGET, State.CLOSED_BY_EXIT})
"""The states of a group that one of its orders closed."""


def alert_raise_all(*, now: datetime) -> None:
    """After every cycle, also one that failed: 1. events of groups 2. unexplained balance changes 3. what has lasted
    too long, such as unprotected positions 4. broken invariants.
    """
    for event in events_unreported():
        with correlated(event.correlation_id):
            _report_event(event, now)
    report_balance_changes(now=now)
    check_groups(now=now)
    _check_invariants(now)


def alert_acknowledge(*, alert: Alert, acknowledged_by: str, now: datetime) -> bool:
    """A user has seen it; whether this one was the first, who counts. Raises PermissionDenied."""
    require(Right.TRADE)
    fresh = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    return bool(fresh.update(acknowledged_at=now, acknowledged_by=acknowledged_by))


def alerts_dismiss(*, user: User, up_to: int, exposed_usd: Mapping[str, Decimal], now: datetime) -> None:
    """Put the open alerts up to this id out of the banner of `user`. `exposed_usd`: value without a stop, by coin."""
    rows = [
        AlertDismissal(
            user=user, alert=alert, dismissed_at=now, exposed_usd=exposed_usd.get(coin_of(alert), Decimal(0))
        )
        for alert in alerts_unacknowledged().filter(pk__lte=up_to)
    ]
    AlertDismissal.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user", "alert"],
        update_fields=["dismissed_at", "exposed_usd"],
    )


def _report_event(event: OcoEvent, now: datetime) -> None:
    with transaction.atomic():  # the alert and the note that it was raised: neither without the other
        if event.new != event.old and not event.group.lot.merging:
            _raise_event_alert(event, now)
        if event.reason_code == ReasonCode.MOVED_ON_EXCHANGE:
            _raise_moved_alert(event, now)
        OcoEvent.objects.filter(pk=event.pk).update(told=True)


def _raise_event_alert(event: OcoEvent, now: datetime) -> None:
    kind, group = ALERT_KINDS.get(State(event.new)), event.group
    if event.new == State.STOP_FAILED:
        # what was tried after the event in the same cycle may have failed too: the group knows the last answer
        why = group.stored_reason if group.state == event.new else event.stored_reason
        incident_open(incident=group_incident(group, Kind.STOP_FAILED, why), now=now)
    elif event.old in CLOSED:
        alert_raise(
            kind=Kind.UNPROTECTED,
            dedupe_key=f"event {event.pk}",
            reason=reason(
                "REOPENED",
                instrument=group.instrument_name,
                side=group.lot.exit_side,
                reason=reason_param(event.stored_reason),
            ),
            now=now,
            group_id=group.pk,
            instrument_name=group.instrument_name,
        )
    elif kind is not None:
        alert_raise(
            kind=kind,
            dedupe_key=f"event {event.pk}",
            reason=_event_reason(event),
            now=now,
            group_id=group.pk,
            instrument_name=group.instrument_name,
            caused_by=group.cancel_requested_by if kind is Kind.RELEASED else "",
        )


def _raise_moved_alert(event: OcoEvent, now: datetime) -> None:
    name = event.group.instrument_name
    alert_raise(
        kind=Kind.MOVED,
        dedupe_key=f"event {event.pk}",
        reason=reason("MOVED", instrument=name, reason=reason_param(event.stored_reason)),
        now=now,
        group_id=event.group_id,
        instrument_name=name,
    )


def _event_reason(event: OcoEvent) -> Reason:
    group = event.group
    if event.new in CLOSED_BY_FILL:
        if event.new == group.state:
            return closing_reason(group)
        title = reason(event.new, instrument=group.instrument_name, side=group.lot.exit_side)
        return title + reason("REASON", reason=reason_param(event.stored_reason))
    return reason(
        event.new,
        instrument=group.instrument_name,
        side=group.lot.exit_side,
        reason=reason_param(event.stored_reason),
    )


def _check_invariants(now: datetime) -> None:
    broken = {f"invariant {sha256(text.encode()).hexdigest()}": text for text in invariant_violations()}
    for key, text in broken.items():
        found = reason("INCONSISTENT_RECORDS", violation=stored_sentence(text) or text)
        incident_open(incident=Incident(key=key, kind=Kind.INVARIANT, reason=found), now=now)
    open_alerts = Alert.objects.filter(kind=Kind.INVARIANT, ended_at=None).exclude(condition="")
    for alert in open_alerts.exclude(condition__in=broken):
        incident_resolve(key=alert.condition, reason=reason("RECORDS_CONSISTENT"), now=now)


# What an alert reports of a group that one of its own orders closed: quantity, price, result and levels


def closing_reason(group: OcoGroup) -> Reason:
    """The reason of its alert. Six queries.

    The fill price is in the quote currency, and None until it was read. The result is in USD, before fees, and None
    without an entry price: then a user requested the protection.
    """
    pair = Instrument.objects.filter(symbol=group.instrument_name).first()
    legs = [leg for leg in OcoLeg.objects.filter(group=group) if leg.executed]
    executed = sum((leg.executed for leg in legs), ZERO)
    price = _average_from_trades(group, legs, executed) or _average_from_orders(legs, executed)
    params: dict[str, Any] = {
        "instrument": group.instrument_name,
        "side": group.lot.exit_side,
        "coin": group.lot.base_ccy,
        "quantity": executed,
        "quantity_decimals": decimals_of(pair.qty_tick_size) if pair else None,
        "price": price,
        "price_decimals": decimals_of(pair.price_tick_size) if pair else None,
        "entry": group.entry_price,
        "stop": group.stop_price,
        "target": group.take_profit_price,
    }
    quote_usd = usd_prices().get(pair.quote_ccy) if pair else None
    if group.entry_price and price is not None and quote_usd is not None:
        exit_side: ExitSide = group.lot.exit_side
        entered, left = _rates(group, legs, exit_side, quote_usd)
        params["usd"] = signed_gain(exit_side, price * left - group.entry_price * entered) * executed
        params["percent"] = signed_gain(exit_side, percent_from(group.entry_price, price))
    lines = (_fill_line(price), _result_line(group, params), _levels_line(group))
    return sum((reason(code) for code in lines), reason(group.state, **params))


def _rates(
    group: OcoGroup, legs: Sequence[OcoLeg], exit_side: ExitSide, quote_usd: Decimal
) -> tuple[Decimal, Decimal]:
    # What the quote currency was worth when the position was entered, and when it was left.
    fills = [fill_of(trade) for trade in fills_of(group, legs)]
    entries = [fill for fill in fills if fill.side != exit_side]
    exits = [fill for fill in fills if fill.side == exit_side]
    return rate_of(entries, present=quote_usd) or quote_usd, rate_of(exits, present=quote_usd) or quote_usd


def _fill_line(price: Decimal | None) -> str:
    return "FILL_WITHOUT_PRICE" if price is None else "FILL"


def _result_line(group: OcoGroup, params: dict[str, Any]) -> str:
    if not group.entry_price:
        return "NO_ENTRY_PRICE"
    return "RESULT" if "usd" in params else "RESULT_UNKNOWN"


def _levels_line(group: OcoGroup) -> str:
    if group.state == State.CLOSED_BY_EXIT:
        return "STOP_CROSSED"
    return "STOP_ONLY" if group.take_profit_price is None else "STOP_AND_TARGET"


def _average_from_trades(group: OcoGroup, legs: Sequence[OcoLeg], executed: Decimal) -> Decimal | None:
    """None until the recorded fills add up to what the orders executed."""
    fills = [trade for trade in fills_of(group, legs) if trade.side == group.lot.exit_side]
    total = sum((trade.quantity for trade in fills), ZERO)
    value = sum((trade.quantity * trade.price for trade in fills), ZERO)
    return value / total if total and total == executed else None


def _average_from_orders(legs: Sequence[OcoLeg], executed: Decimal) -> Decimal | None:
    """The same from the average prices of the orders, found by either id (dossier 6.2)."""
    ids = {name for leg in legs for name in (leg.order_id, leg.exchange_order_id) if name}
    orders = [row for row in orders_named(ids) if row.average_price is not None]
    total = sum((row.filled_quantity for row in orders), ZERO)
    value = sum((row.filled_quantity * row.average_price for row in orders if row.average_price), ZERO)
    return value / total if total and total == executed else None
