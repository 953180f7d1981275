"""What lasts about a position: without a stop for too long, no stop to be had, an order's fate not known."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from oco.engine.states import State, is_final
from oco.models import OcoGroup
from oco.presentation.reasons import said
from oco.selectors import groups_open
from portfolio.alerts.conditions import Trouble, alert_close, trouble_begin, trouble_end_all
from portfolio.alerts.dear import PREFIX
from portfolio.alerts.naked import naked_now
from portfolio.models import Alert
from portfolio.templatetags.words import instrument

Kind = Alert.Kind
LONGEST_NAKED = timedelta(minutes=3)
LASTING = (Kind.UNPROTECTED, Kind.STOP_FAILED, Kind.UNKNOWN)


def groups_note_all(*, now: datetime) -> None:
    """Begin what has lasted for too long, end what is over. Safe beside a cycle: it only reads states."""
    for naked in naked_now(now=now, longer_than=naked_limit()):
        trouble = Trouble(
            condition=naked.occasion,
            kind=Kind.UNPROTECTED,
            title=naked.title,
            text=naked.text,
            group_id=naked.group_id,
            instrument_name=naked.instrument_name,
        )
        trouble_begin(trouble=trouble, now=now)
    for group in groups_open().filter(state=State.UNKNOWN, state_since__lt=now - unknown_limit()):
        trouble_begin(trouble=trouble_of(group, Kind.UNKNOWN, group.reason), now=now)
    _end_all(now)


def trouble_of(group: OcoGroup, kind: "Alert.Kind", text: str) -> Trouble:
    return Trouble(
        condition=f"{kind.lower()} {group.pk}",
        kind=kind,
        title=f"{instrument(group.instrument_name)}: {kind.label}",
        text=text,
        group_id=group.pk,
        instrument_name=group.instrument_name,
    )


def naked_limit() -> timedelta:
    """Two cycles, at most three minutes."""
    return min(2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS), LONGEST_NAKED)


def unknown_limit() -> timedelta:
    """Two cycles."""
    return 2 * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def _end_all(now: datetime) -> None:
    """Cover that was observed again ends all alerts of its group with one message; an end tells itself."""
    lasting: dict[UUID | None, list[Alert]] = defaultdict(list)
    for alert in Alert.objects.filter(kind__in=LASTING, ended_at=None).exclude(condition=""):
        lasting[alert.oco_group_id].append(alert)
    if not lasting:
        return
    groups = OcoGroup.objects.in_bulk([pk for pk in lasting if pk is not None])
    still_naked = {naked.occasion for naked in naked_now(now=now, longer_than=timedelta(0))}
    for pk, alerts in lasting.items():
        group = groups.get(pk) if pk is not None else None
        if group is not None and is_final(group.state):
            for alert in alerts:
                alert_close(alert=alert, now=now)
        elif group is not None and group.state == State.ACTIVE:
            trouble_end_all(
                alerts=[one for one in alerts if not _is_dear(one) and one.condition not in still_naked],
                title=instrument(group.instrument_name),
                text=said(group.reason),
                now=now,
            )
        else:
            _end_covered(alerts, still_naked, now)


def _end_covered(alerts: Sequence[Alert], still_naked: set[str], now: datetime) -> None:
    """A stop of somebody else stands for ours (rule 2), or a derivative position is gone."""
    for alert in alerts:
        if alert.kind == Kind.UNPROTECTED and not _is_dear(alert) and alert.condition not in still_naked:
            text = _("It has a stop now, or is gone.")
            trouble_end_all(alerts=[alert], title=instrument(alert.instrument_name), text=text, now=now)


def _is_dear(alert: Alert) -> bool:
    """That its orders rest does not end this one: the price does."""
    return alert.condition.startswith(PREFIX)
