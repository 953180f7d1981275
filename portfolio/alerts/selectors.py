"""Alerts for the pages: what needs attention now, and whether delivery works."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.alerts.channels import configured_channels
from portfolio.models import Alert

State = Alert.State
MAX_SHOWN = 3
MAX_COUNTED = 100
UNSENT_STATES = (State.DUE, State.SENDING, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSummary:
    """`alerts`: the newest that need attention. `others`: how many more than the first. `notices`: what is wrong with
    delivery.
    """

    alerts: tuple[Alert, ...]
    others: int
    notices: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.alerts or self.notices)


def alert_summary() -> AlertSummary:
    """For the banner of every page: two queries, however many alerts there are."""
    pending = tuple(alerts_unacknowledged()[:MAX_COUNTED])
    return AlertSummary(alerts=pending[:MAX_SHOWN], others=max(0, len(pending) - 1), notices=notices())


def alerts_unacknowledged() -> QuerySet[Alert]:
    """Not seen by a user and not over; newest first. Uses the index `alerts_unseen`."""
    return Alert.objects.filter(acknowledged_at=None, ended_at=None)


def notices() -> tuple[str, ...]:
    found = [delivery_problem()]
    if settings.LIVE_TRADING and not settings.ALERT_URLS:
        found.append(
            _("No alert channel is configured: set ALERT_URLS to receive alerts for this real-money account.")
        )
    return tuple(text for text in found if text)


def delivery_problem() -> str:
    """What could not be sent, until it is sent after all or acknowledged; empty when nothing."""
    unsent = Alert.objects.filter(state__in=UNSENT_STATES, attempts__gt=0, acknowledged_at=None)
    failed = unsent.exclude(refused_by=[], last_error="").order_by("-id")
    newest = failed.first()
    if newest is None:
        return ""
    count = failed.count()
    text = ngettext(
        "%(count)d alert could not be sent. %(error)s",
        "%(count)d alerts could not be sent. %(error)s",
        count,
    )
    return text % {"count": count, "error": newest.delivery_error}


def channel_names() -> list[str]:
    """As `channel 1 (Telegram)`: never an address."""
    return [channel.name for channel in configured_channels()]
