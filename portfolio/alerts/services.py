"""What the person must be told, once per occasion: news from the journal, and what lasts."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.core.observability import correlated
from oco.engine.pricing import ExitSide
from oco.engine.states import State
from oco.models import OcoEvent
from oco.presentation.reasons import render_reason
from oco.reconcile.invariant_checks import invariant_violations
from oco.selectors import events_unreported
from portfolio.alerts.closed_groups import FILLED_STATES, load_closing_trade
from portfolio.alerts.conditions import TITLE_LENGTH, Incident, incident_open, incident_resolve
from portfolio.alerts.position_checks import check_groups, group_incident
from portfolio.formatting import instrument_label
from portfolio.models import Alert
from portfolio.models.alerts import INFORMATIONAL_KINDS

Kind = Alert.Kind
ALERT_KINDS = {
    State.CLOSED_BY_STOP: Kind.CLOSED,
    State.CLOSED_BY_TARGET: Kind.CLOSED,
    State.CLOSED_BY_EXIT: Kind.EXIT,  # once, with its numbers; a sale that does not end is told as unprotected
    State.CLOSED_BY_HAND: Kind.CLOSED,
    State.RELEASED: Kind.RELEASED,
}

BUY_BACK_TITLES = {
    Kind.CLOSED: gettext_lazy("buy-back closed"),
    Kind.RELEASED: gettext_lazy("buy-back removed"),
}


def alert_raise(
    *,
    kind: str,
    dedupe_key: str,
    title: str,
    text: str,
    now: datetime,
    group_id: UUID | None = None,
    instrument_name: str = "",
) -> bool:
    """Raise an alert, unless this occasion has one; whether it is new."""
    _alert, is_new = Alert.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "kind": kind,
            "title": title[:TITLE_LENGTH],
            "text": text,
            "oco_group_id": group_id,
            "instrument_name": instrument_name,
            "raised_at": now,
            "ended_at": now if kind in INFORMATIONAL_KINDS else None,
        },
    )
    return is_new


def alert_raise_all(*, now: datetime) -> None:
    """After every cycle, also one that failed: 1. the journal's news 2. what is naked, derivatives as well, or
    otherwise not as it should be for too long 3. broken invariants.
    """
    for event in events_unreported():
        with correlated(event.correlation_id):
            _report_event(event, now)
    check_groups(now=now)
    _check_invariants(now)


def alert_acknowledge(*, alert: Alert, acknowledged_by: str, now: datetime) -> bool:
    """A person has seen it; the first one counts. Whether this was the first."""
    fresh = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    return bool(fresh.update(acknowledged_at=now, acknowledged_by=acknowledged_by))


def _report_event(event: OcoEvent, now: datetime) -> None:
    """The alert and the note that it was told, together: neither without the other."""
    with transaction.atomic():
        if event.new != event.old and not event.group.lot.merging:
            _raise_event_alert(event, now)
        OcoEvent.objects.filter(pk=event.pk).update(told=True)


def _raise_event_alert(event: OcoEvent, now: datetime) -> None:
    kind, group = ALERT_KINDS.get(State(event.new)), event.group
    if event.new == State.STOP_FAILED:
        text = render_reason(event.stored_reason)
        incident_open(incident=group_incident(group, Kind.STOP_FAILED, text), now=now)
    elif kind is not None:
        title, text = _title_and_text(event, kind)
        alert_raise(
            kind=kind,
            dedupe_key=f"event {event.pk}",
            title=title,
            text=text,
            now=now,
            group_id=group.pk,
            instrument_name=group.instrument_name,
        )


def _title_and_text(event: OcoEvent, kind: "Alert.Kind") -> tuple[str, str]:
    group = event.group
    if event.new in FILLED_STATES and event.new == group.state:
        closing_trade = load_closing_trade(group)
        return closing_trade.title, closing_trade.text
    titles = BUY_BACK_TITLES if group.lot.exit_side is ExitSide.BUY else {}
    title = f"{instrument_label(group.instrument_name)}: {titles.get(kind, kind.label)}"
    return title, render_reason(event.stored_reason)


def _check_invariants(now: datetime) -> None:
    broken = {f"invariant {sha256(words.encode()).hexdigest()}": words for words in invariant_violations()}
    title = _("The protection records are inconsistent")
    for condition, words in broken.items():
        incident = Incident(condition=condition, kind=Kind.INVARIANT, title=title, text=words)
        incident_open(incident=incident, now=now)
    open_alerts = Alert.objects.filter(kind=Kind.INVARIANT, ended_at=None).exclude(condition="")
    for alert in open_alerts.exclude(condition__in=broken):
        incident_resolve(condition=alert.condition, text=_("The records match again."), now=now)
