"""Sends what is due: outside any transaction and any lease, each alert by one worker only.

An alert goes DUE → SENDING → SENT or FAILED. It is claimed by a conditional update, and so is the place of each
message in the row of messages, so that two workers together are not faster than one. Whoever dies while sending
leaves a claim that runs out; what it had sent may then come twice, and nothing is lost.

How fast messages follow one another (pure): single ones first, then digests, and patience after a failure.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from portfolio.alerts.channels import Channel, Message, channels_read, take_all
from portfolio.alerts.messages import message_of
from portfolio.models import Alert, AlertMessage

T = TypeVar("T")

HOUR = timedelta(hours=1)
SINGLES = 6  # in an hour, each alert in a message of its own
SPACING = timedelta(minutes=10)  # then one digest at a time: six more in an hour
MOST_IN_A_DIGEST = 50
CLOCK_DOUBT = timedelta(minutes=1)  # between two machines that send
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVEN_UP_AFTER = timedelta(days=1)


def bundles(due: Sequence[T], sent: Sequence[datetime], now: datetime) -> list[list[T]]:
    """The messages to send now, each as the list of what it tells; `sent` are the moments of earlier ones.

    In no hour more than 12 leave, and nothing waits longer than ten minutes for its digest, unless more than a
    digest can tell is due. What left later than now, before the clock was set back, delays nothing.
    """
    recent = [moment for moment in sent if now - HOUR < moment <= now + CLOCK_DOUBT]
    room = SINGLES - len(recent)
    if len(due) <= room:
        return [[one] for one in due]
    if room > 0 or now - max(recent) >= SPACING:
        return [list(due[:MOST_IN_A_DIGEST])]
    return []


def next_try(*, attempts: int, now: datetime) -> datetime:
    """When to try again after `attempts` that failed: 1, 5, 15 minutes later, then hourly."""
    return now + BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


def is_hopeless(*, first_tried_at: datetime, now: datetime) -> bool:
    """After a day it is given up, and that is said on the desk."""
    return now - first_tried_at >= GIVEN_UP_AFTER


logger = logging.getLogger("alerts")

State = Alert.State
CLAIM_LIFE = timedelta(minutes=5)  # longer than a task may last (Q_CLUSTER's timeout), let alone the channels
ROUND_S = 30.0  # then no other message is begun: the task must end before the queue ends it


@dataclass(slots=True)
class Delivered:
    """How a round ended, in alerts. `failed` will be tried again, or was given up."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0


def alert_deliver_all(*, clock: Callable[[], datetime]) -> Delivered:
    """1. what is due 2. in how many messages it may leave now 3. claim, send and record each of them."""
    channels, done = channels_read(), Delivered()
    if not channels:
        _keep_on_desk()
        return done
    due = _due(clock())
    last, end = _last_number(), monotonic() + ROUND_S
    for number, bundle in enumerate(_messages(due, clock()), start=last + 1):
        message = _take_place(number, clock()) if monotonic() < end else None
        if message is None:
            break  # the channels are slow; or another worker is at it, and what we counted is old
        _send(message, bundle, channels, clock, done)
    done.waiting = Alert.objects.filter(_is_due(clock())).count()
    return done


def _due(now: datetime) -> list[Alert]:
    """As many as one message can tell, in the order in which they were raised: first those never tried, which do
    not wait behind what one dead channel refuses hour by hour.
    """
    chosen = Alert.objects.filter(_is_due(now)).order_by("attempts", "raised_at", "id")[:MOST_IN_A_DIGEST]
    return sorted(chosen, key=lambda alert: (alert.raised_at, alert.pk))


def alerts_are_due(*, now: datetime) -> bool:
    return Alert.objects.filter(_is_due(now)).exists()


def _is_due(now: datetime) -> Q:
    ready = Q(state=State.DUE) & (Q(next_try_at=None) | Q(next_try_at__lte=now))
    return ready | Q(state=State.SENDING, claimed_at__lt=now - CLAIM_LIFE)


def _keep_on_desk() -> None:
    """Without a channel an alert is not late: it is on the desk, and no later channel brings it up again."""
    Alert.objects.filter(state__in=(State.DUE, State.SENDING)).update(state=State.DESK)


def _messages(due: Sequence[Alert], now: datetime) -> list[list[Alert]]:
    if not due:
        return []
    sent = list(AlertMessage.objects.filter(at__gt=now - HOUR).values_list("at", flat=True))
    return bundles(due, sent, now)


def _last_number() -> int:
    """Read before the messages of the last hour are counted: what comes after is a message not counted."""
    return AlertMessage.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _take_place(number: int, now: datetime) -> AlertMessage | None:
    """This place in the row of messages, or None when another worker took it first."""
    try:
        with transaction.atomic():
            return AlertMessage.objects.create(number=number, at=now, alerts=0)
    except IntegrityError:
        return None


def _send(
    message: AlertMessage,
    bundle: Sequence[Alert],
    channels: Sequence[Channel],
    clock: Callable[[], datetime],
    done: Delivered,
) -> None:
    claim = uuid4().hex
    claimed = [alert for alert in bundle if _claim(alert, claim, clock())]
    if not claimed:
        message.delete()
        return
    taken = take_all(_letters(claimed, channels))
    message.alerts, message.took = len(claimed), sum(taken.values())
    message.refused = len(taken) - message.took
    message.save(update_fields=["alerts", "took", "refused"])
    for alert in claimed:
        if _record(alert, claim, channels, taken, clock()):
            done.sent += 1
        else:
            done.failed += 1


def _claim(alert: Alert, claim: str, now: datetime) -> bool:
    """Whether it is ours to send now; one row at a time, so that two workers never wait for each other."""
    mine = Alert.objects.filter(_is_due(now), pk=alert.pk).update(
        state=State.SENDING,
        claim=claim,
        claimed_at=now,
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce("first_tried_at", now),
    )
    if mine:
        alert.refresh_from_db()
    return bool(mine)


def _letters(alerts: Sequence[Alert], channels: Sequence[Channel]) -> dict[Channel, Message]:
    """For each channel what it has not taken yet."""
    wanted = {each: [alert for alert in alerts if each.mark not in alert.sent_to] for each in channels}
    return {channel: message_of(missing) for channel, missing in wanted.items() if missing}


def _record(
    alert: Alert, claim: str, channels: Sequence[Channel], taken: Mapping[Channel, bool], now: datetime
) -> bool:
    """Whether every channel has it now. Written only while the claim is ours."""
    took = [each.mark for each in channels if taken.get(each, False)]
    alert.sent_to = sorted({*alert.sent_to, *took})
    refused = [each for each in channels if each.mark not in alert.sent_to]
    alert.last_error = _refusal(refused)
    if not refused:
        alert.state, alert.sent_at, alert.next_try_at = State.SENT, now, None
    else:
        _put_off(alert, now)
    Alert.objects.filter(pk=alert.pk, claim=claim, state=State.SENDING).update(
        state=alert.state,
        sent_at=alert.sent_at,
        sent_to=alert.sent_to,
        next_try_at=alert.next_try_at,
        last_error=alert.last_error,
    )
    return not refused


def _put_off(alert: Alert, now: datetime) -> None:
    if is_hopeless(first_tried_at=alert.first_tried_at or now, now=now):
        alert.state, alert.next_try_at = State.FAILED, None
        logger.error("Alerts: alert %d is given up after %d tries", alert.pk, alert.attempts)
        return
    alert.state, alert.next_try_at = State.DUE, next_try(attempts=alert.attempts, now=now)
    logger.warning("Alerts: %s Alert %d is tried again", alert.last_error, alert.pk)


def _refusal(refused: Sequence[Channel]) -> str:
    if not refused:
        return ""
    names = ", ".join(each.name for each in refused)
    return (_("Not taken by %(names)s.") % {"names": names})[:255]
