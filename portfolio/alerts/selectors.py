"""Alerts for the pages: what needs attention now, and whether delivery works."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.alerts.channels import configured_channels
from portfolio.models import Alert, AlertDismissal

State = Alert.State
MAX_SHOWN = 3
MAX_COUNTED = 100
NAME_LENGTH = 64
ZERO = Decimal(0)
WORSE_FROM = Decimal("1.1")  # below it is the price that moved
UNSENT_STATES = (State.DUE, State.SENDING, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSummary:
    """`alerts`: the newest that need attention. `others`: how many more than the first. `newest`: the highest id of
    all of them. `notices`: what is wrong with delivery.
    """

    alerts: tuple[Alert, ...]
    others: int
    newest: int
    notices: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.alerts or self.notices)


def alert_summary(
    user: User | AnonymousUser | None = None, *, exposed_usd: Callable[[], Mapping[str, Decimal]] = dict
) -> AlertSummary:
    """For the banner of every page: two queries, however many alerts there are.

    Without what `user` did or dismissed. A dismissed alert is back when more of its coin has no stop than then;
    `exposed_usd` has the present values, and is asked for only then.
    """
    pending = tuple(
        _news_for(user, exposed_usd) if isinstance(user, User) else alerts_unacknowledged()[:MAX_COUNTED]
    )
    return AlertSummary(
        alerts=pending[:MAX_SHOWN],
        others=max(0, len(pending) - 1),
        newest=max((alert.pk for alert in pending), default=0),
        notices=notices(),
    )


def coin_of(alert: Alert) -> str:
    return str(alert.instrument_name).partition("_")[0]


def _news_for(user: User, exposed_usd: Callable[[], Mapping[str, Decimal]]) -> Iterator[Alert]:
    dismissed = AlertDismissal.objects.filter(alert=OuterRef("pk"), user=user)
    rows = (
        alerts_unacknowledged()
        .exclude(caused_by=user.get_username()[:NAME_LENGTH])
        .annotate(dismissed_usd=Subquery(dismissed.values("exposed_usd")[:1]))
        .filter(Q(dismissed_usd=None) | Q(kind=Alert.Kind.UNPROTECTED))
    )
    for alert in rows[:MAX_COUNTED]:
        before = alert.dismissed_usd
        if before is None or exposed_usd().get(coin_of(alert), ZERO) > before * WORSE_FROM:
            yield alert


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
