"""Alerts about what lasts: one when it begins, one “is well again” when it ends, none in between."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portfolio.models import Alert

TITLE_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is not as it should be, for as long as `condition` names it."""

    condition: str
    kind: str
    title: str
    text: str
    group_id: UUID | None = None
    instrument_name: str = ""


def incident_open(*, incident: Incident, now: datetime) -> bool:
    """Raise its alert, unless one is open; whether it is new. The database refuses a second one."""
    if Alert.objects.filter(condition=incident.condition, ended_at=None).exists():
        return False
    try:
        with transaction.atomic():
            Alert.objects.create(
                kind=incident.kind,
                dedupe_key=f"{incident.condition} {now.isoformat()}",
                condition=incident.condition,
                title=incident.title[:TITLE_LENGTH],
                text=incident.text,
                oco_group_id=incident.group_id,
                instrument_name=incident.instrument_name,
                raised_at=now,
            )
    except IntegrityError:
        return False
    return True


def incident_resolve(*, condition: str, text: str, now: datetime) -> bool:
    """Say that it is well again, if an alert of it is open; whether one was."""
    alert = Alert.objects.filter(condition=condition, ended_at=None).first()
    return alert is not None and incident_resolve_all(alerts=[alert], title=alert.title, text=text, now=now)


def incident_resolve_all(*, alerts: Iterable[Alert], title: str, text: str, now: datetime) -> bool:
    """Several alerts about one thing end with one message."""
    ended = [alert for alert in alerts if alert_close(alert=alert, now=now)]
    if not ended:
        return False
    Alert.objects.get_or_create(
        dedupe_key=f"well {ended[0].pk}",
        defaults={
            "kind": Alert.Kind.WELL,
            "title": (_("Resolved: %(title)s") % {"title": title})[:TITLE_LENGTH],
            "text": text,
            "oco_group_id": ended[0].oco_group_id,
            "instrument_name": ended[0].instrument_name,
            "raised_at": now,
            "ended_at": now,
        },
    )
    return True


def alert_close(*, alert: Alert, now: datetime) -> bool:
    """It has ended, and something else says so; whether it was open."""
    return bool(Alert.objects.filter(pk=alert.pk, ended_at=None).update(ended_at=now))
