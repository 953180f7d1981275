"""What the person must be told, once per occasion: news from the journal, and what stays without a stop."""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.db import transaction

from oco.audit import invariants_broken
from oco.models import OcoEvent, OcoGroup
from oco.selectors import events_untold, groups_naked
from oco.states import State
from portfolio.models import Alert

Kind = Alert.Kind
LONGEST_NAKED = timedelta(minutes=3)
TITLE_LENGTH = 255
KINDS = {
    State.STOP_FAILED: Kind.STOP_FAILED,
    State.UNKNOWN: Kind.UNKNOWN,
    State.EXITING: Kind.EXIT,
    State.CLOSED_BY_STOP: Kind.CLOSED,
    State.CLOSED_BY_TARGET: Kind.CLOSED,
    State.CLOSED_BY_EXIT: Kind.CLOSED,
    State.CLOSED_BY_HAND: Kind.CLOSED,
    State.RELEASED: Kind.RELEASED,
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
    _, is_new = Alert.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "kind": kind,
            "title": title[:TITLE_LENGTH],
            "text": text,
            "oco_group_id": group_id,
            "instrument_name": instrument_name,
            "raised_at": now,
        },
    )
    return is_new


def alert_raise_all(*, now: datetime) -> None:
    """After every cycle, also one that failed: 1. the journal's news 2. what is naked 3. broken invariants."""
    for event in events_untold():
        _tell(event, now)
    for group in groups_naked(now=now, longer_than=naked_limit()):
        _tell_naked(group, now)
    for words in invariants_broken():
        key = f"invariant {sha256(words.encode()).hexdigest()}"
        title = "The record of the protection does not add up"
        alert_raise(kind=Kind.INVARIANT, dedupe_key=key, title=title, text=words, now=now)


def alert_acknowledge(*, alert: Alert, acknowledged_by: str, now: datetime) -> bool:
    """A person has seen it; the first one counts. Whether this was the first."""
    fresh = Alert.objects.filter(pk=alert.pk, acknowledged_at=None)
    return bool(fresh.update(acknowledged_at=now, acknowledged_by=acknowledged_by))


def naked_limit() -> timedelta:
    """Two cycles, at most three minutes."""
    return min(2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS), LONGEST_NAKED)


def _tell(event: OcoEvent, now: datetime) -> None:
    """The alert and the note that it was told, together: neither without the other."""
    kind, group = KINDS.get(State(event.new)), event.group
    with transaction.atomic():
        if kind is not None and event.new != event.old and not group.lot.merging:
            alert_raise(
                kind=kind,
                dedupe_key=f"event {event.pk}",
                title=f"{group.instrument_name}: {kind.label}",
                text=event.reason,
                now=now,
                group_id=group.pk,
                instrument_name=group.instrument_name,
            )
        OcoEvent.objects.filter(pk=event.pk).update(told=True)


def _tell_naked(group: OcoGroup, now: datetime) -> None:
    alert_raise(
        kind=Kind.UNPROTECTED,
        dedupe_key=f"naked {group.pk} {group.uncovered_since:%Y-%m-%dT%H:%M:%S}",
        title=f"{group.instrument_name}: {group.lot.owned:f} without a stop",
        text=group.reason,
        now=now,
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )
