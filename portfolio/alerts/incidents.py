"""Raises alerts: events, each once, and incidents, which are open until they are resolved.

An incident gets one alert when it opens and one "Resolved" when it ends, none in between.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from exchange.core.reasons import Reason
from portfolio.models import Alert
from portfolio.models.alerts import INFORMATIONAL_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is wrong for a while. `key` identifies it among the open ones (column `condition`)."""

    key: str
    kind: str
    reason: Reason
    group_id: UUID | None = None
    instrument_name: str = ""


def alert_raise(
    *,
    kind: str,
    dedupe_key: str,
    reason: Reason,
    now: datetime,
    group_id: UUID | None = None,
    instrument_name: str = "",
    caused_by: str = "",
) -> bool:
    """Raise the alert of an event, unless there is one with this `dedupe_key`; whether it is new.

    `caused_by` is the user who asked for what happened.
    """
    _alert, is_new = Alert.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            **reason_fields(reason),
            "kind": kind,
            "oco_group_id": group_id,
            "instrument_name": instrument_name,
            "caused_by": caused_by,
            "raised_at": now,
            "ended_at": now if kind in INFORMATIONAL_KINDS else None,
        },
    )
    return is_new


def incident_open(*, incident: Incident, now: datetime) -> bool:
    """Raise its alert, unless one is open; whether it is new."""
    if Alert.objects.filter(condition=incident.key, ended_at=None).exists():
        return False
    try:
        with transaction.atomic():
            Alert.objects.create(
                **reason_fields(incident.reason),
                kind=incident.kind,
                dedupe_key=f"{incident.key} {now.isoformat()}",
                condition=incident.key,
                oco_group_id=incident.group_id,
                instrument_name=incident.instrument_name,
                raised_at=now,
            )
    except IntegrityError:  # another worker was faster: the database allows one open alert a key
        return False
    return True


def incident_resolve(*, key: str, reason: Reason, now: datetime) -> bool:
    """Close its alert and report that, if one is open; whether one was."""
    alert = Alert.objects.filter(condition=key, ended_at=None).first()
    return alert is not None and incident_resolve_all(alerts=[alert], reason=reason, now=now)


def incident_resolve_all(*, alerts: Iterable[Alert], reason: Reason, now: datetime) -> bool:
    """Close several alerts about one thing with one "Resolved"; `reason` says why they are over."""
    closed = [alert for alert in alerts if alert_close(alert=alert, now=now)]
    if not closed:
        return False
    first = closed[0]
    alert_raise(
        kind=Alert.Kind.WELL,
        dedupe_key=f"well {first.pk}",
        reason=replace(reason, params={**reason.params, "resolved": _stored_alert(first)}),
        now=now,
        group_id=first.oco_group_id,
        instrument_name=first.instrument_name,
    )
    return True


def alert_close(*, alert: Alert, now: datetime) -> bool:
    """Close without a "Resolved", where another alert reports the end; whether it was open."""
    return bool(Alert.objects.filter(pk=alert.pk, ended_at=None).update(ended_at=now))


def reason_fields(reason: Reason) -> dict[str, Any]:
    """The columns in which an alert keeps its reason."""
    return {
        "reason_code": reason.code,
        "reason_params": reason.stored_params,
        "exchange_code": reason.exchange_code,
    }


def _stored_alert(alert: Alert) -> Mapping[str, Any]:
    """What the title of "Resolved" needs of the alert that it closes."""
    if not alert.reason_code:
        return {"text": alert.title}
    return {"code": alert.reason_code, "params": alert.reason_params}
