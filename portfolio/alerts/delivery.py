"""Sends what is due: outside any transaction and any lease, each alert by one worker only.

An alert goes DUE → SENDING → SENT or FAILED. It is claimed by a conditional update, and so is the number of each
message, so that two workers together send no faster than one. A worker that dies while sending leaves a claim that
expires: what it had sent may be sent twice, and nothing is lost.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.alerts.channels import Channel, Message, configured_channels, send_all
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert, AlertMessage
from portfolio.status.startup import base_url
from portfolio.status.trading_mode import Mode, current_mode

logger = logging.getLogger("alerts")

T = TypeVar("T")
State = Alert.State

HOUR = timedelta(hours=1)
MAX_SINGLE_MESSAGES = 6  # in an hour, one alert each
DIGEST_INTERVAL = timedelta(minutes=10)  # then one digest at a time: six more in an hour
MAX_DIGEST_SIZE = 50
CLOCK_TOLERANCE = timedelta(minutes=1)  # between two machines that send
RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVE_UP_AFTER = timedelta(days=1)
CLAIM_TIMEOUT = timedelta(minutes=5)  # longer than a task may last (Q_CLUSTER's timeout)
MAX_RUN_SECONDS = 30.0  # then no other message is started: the task must end before the queue stops it
Kind = Alert.Kind
TONES = {
    Kind.CLOSED: "warning",  # coins were sold: it must be noticed
    Kind.DAILY: "info",
    Kind.SWITCH: "info",
    Kind.WELL: "success",
    Kind.DRIFT: "warning",
    Kind.EXIT: "warning",
    Kind.RELEASED: "warning",
    Kind.MOVED: "warning",
}
TONE_PRIORITY = ("failure", "warning", "success", "info")
ALERT_PATHS = {Kind.DAILY: "/protection/", Kind.UNPROTECTED: "/protection/"}  # the others: the list of alerts


@dataclass(slots=True)
class DeliveryCounts:
    """Of one run, in alerts. `failed` are retried later, or were given up."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0


def alert_deliver_all(*, clock: Callable[[], datetime]) -> DeliveryCounts:
    """1. what is due 2. in how many messages it may be sent now 3. claim, send and record each of them."""
    channels, done = configured_channels(), DeliveryCounts()
    if not channels:
        _mark_desk_only()
        return done
    due = _due_alerts(clock())
    last, end = _last_number(), monotonic() + MAX_RUN_SECONDS
    for number, batch in enumerate(_batches(due, clock()), start=last + 1):
        message = _reserve_number(number, clock()) if monotonic() < end else None
        if message is None:
            break  # the channels are slow; or another worker is sending, so the count is outdated
        _send(message, batch, channels, clock, done)
    done.waiting = Alert.objects.filter(_due_filter(clock())).count()
    return done


def alerts_are_due(*, now: datetime) -> bool:
    return Alert.objects.filter(_due_filter(now)).exists()


def plan_batches(due: Sequence[T], sent: Sequence[datetime], now: datetime) -> list[list[T]]:
    """The messages to send now, each as the list of its alerts (pure). `sent` are the times of earlier messages.

    No more than 12 are sent in any hour, and nothing waits longer than ten minutes for its digest, unless more is due
    than fits into one. Times later than now, from before the clock was set back, delay nothing.
    """
    recent = [moment for moment in sent if now - HOUR < moment <= now + CLOCK_TOLERANCE]
    capacity = MAX_SINGLE_MESSAGES - len(recent)
    if len(due) <= capacity:
        return [[one] for one in due]
    if capacity > 0 or now - max(recent) >= DIGEST_INTERVAL:
        return [list(due[:MAX_DIGEST_SIZE])]
    return []


def next_try(*, attempts: int, now: datetime) -> datetime:
    """After `attempts` that failed: 1, 5, 15 minutes later, then hourly."""
    return now + RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]


def should_give_up(*, first_tried_at: datetime, now: datetime) -> bool:
    """After a day; the pages show that it could not be sent."""
    return now - first_tried_at >= GIVE_UP_AFTER


def _due_alerts(now: datetime) -> list[Alert]:
    """As many as fit into one digest, in the order in which they were raised. Those never tried are chosen first, so
    that they do not wait behind alerts that a dead channel keeps refusing.
    """
    chosen = Alert.objects.filter(_due_filter(now)).order_by("attempts", "raised_at", "id")[:MAX_DIGEST_SIZE]
    return sorted(chosen, key=lambda alert: (alert.raised_at, alert.pk))


def _due_filter(now: datetime) -> Q:
    ready = Q(state=State.DUE) & (Q(next_try_at=None) | Q(next_try_at__lte=now))
    return ready | Q(state=State.SENDING, claimed_at__lt=now - CLAIM_TIMEOUT)


def _mark_desk_only() -> None:
    """Without a channel alerts are shown on the pages only, also when a channel is added later."""
    Alert.objects.filter(state__in=(State.DUE, State.SENDING)).update(state=State.DESK)


def _batches(due: Sequence[Alert], now: datetime) -> list[list[Alert]]:
    if not due:
        return []
    sent = list(AlertMessage.objects.filter(at__gt=now - HOUR).values_list("at", flat=True))
    return plan_batches(due, sent, now)


def _last_number() -> int:
    """Read before the messages of the last hour are counted, so that a message sent in between is noticed."""
    return AlertMessage.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _reserve_number(number: int, now: datetime) -> AlertMessage | None:
    """The message with this number, or None when another worker took it first."""
    try:
        with transaction.atomic():
            return AlertMessage.objects.create(number=number, at=now, alerts=0)
    except IntegrityError:
        return None


def _send(
    message: AlertMessage,
    batch: Sequence[Alert],
    channels: Sequence[Channel],
    clock: Callable[[], datetime],
    done: DeliveryCounts,
) -> None:
    claim = uuid4().hex
    claimed = [alert for alert in batch if _claim(alert, claim, clock())]
    if not claimed:
        message.delete()
        return
    delivered = send_all(_channel_messages(claimed, channels))
    message.alerts, message.took = len(claimed), sum(delivered.values())
    message.refused = len(delivered) - message.took
    message.save(update_fields=["alerts", "took", "refused"])
    for alert in claimed:
        if _record(alert, claim, channels, delivered, clock()):
            done.sent += 1
        else:
            done.failed += 1


def _claim(alert: Alert, claim: str, now: datetime) -> bool:
    """Whether this worker may send it; one row at a time, so that two workers never wait for each other."""
    is_claimed = Alert.objects.filter(_due_filter(now), pk=alert.pk).update(
        state=State.SENDING,
        claim=claim,
        claimed_at=now,
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce("first_tried_at", now),
    )
    if is_claimed:
        alert.refresh_from_db()
    return bool(is_claimed)


def _channel_messages(alerts: Sequence[Alert], channels: Sequence[Channel]) -> dict[Channel, Message]:
    """For each channel what it has not accepted yet."""
    wanted = {each: [alert for alert in alerts if each.fingerprint not in alert.sent_to] for each in channels}
    return {channel: build_message(missing) for channel, missing in wanted.items() if missing}


def _record(
    alert: Alert, claim: str, channels: Sequence[Channel], delivered: Mapping[Channel, bool], now: datetime
) -> bool:
    """Whether every channel has accepted it now. Written only while the claim is this worker's."""
    took = [each.fingerprint for each in channels if delivered.get(each, False)]
    alert.sent_to = sorted({*alert.sent_to, *took})
    refused = [each for each in channels if each.fingerprint not in alert.sent_to]
    alert.refused_by, alert.last_error = [each.name for each in refused], ""
    if not refused:
        alert.state, alert.sent_at, alert.next_try_at = State.SENT, now, None
    else:
        _schedule_retry(alert, now)
    Alert.objects.filter(pk=alert.pk, claim=claim, state=State.SENDING).update(
        state=alert.state,
        sent_at=alert.sent_at,
        sent_to=alert.sent_to,
        next_try_at=alert.next_try_at,
        refused_by=alert.refused_by,
        last_error=alert.last_error,
    )
    return not refused


def _schedule_retry(alert: Alert, now: datetime) -> None:
    if should_give_up(first_tried_at=alert.first_tried_at or now, now=now):
        alert.state, alert.next_try_at = State.FAILED, None
        logger.error("Alerts: giving up alert %d after %d attempts", alert.pk, alert.attempts)
        return
    alert.state, alert.next_try_at = State.DUE, next_try(attempts=alert.attempts, now=now)
    logger.warning(
        "Alerts: not accepted by %s. Alert %d will be retried", ", ".join(alert.refused_by), alert.pk
    )


# The content of messages: the trading mode first, then one alert or several, each with a link


def build_message(alerts: Sequence[Alert]) -> Message:
    """One alert as it is, several as a digest, the oldest first; in the language of the settings."""
    with translation.override(settings.LANGUAGE_CODE):
        mode = current_mode()
        if len(alerts) == 1:
            title, body = alert_title(alerts[0]), _alert_body(alerts[0])
        else:
            title = ngettext("%(count)d alert", "%(count)d alerts", len(alerts)) % {"count": len(alerts)}
            body = "\n\n".join(f"• {alert_title(alert)}\n{_alert_body(alert)}" for alert in alerts)
        tone = min((TONES.get(Kind(alert.kind), "failure") for alert in alerts), key=TONE_PRIORITY.index)
        return Message(title=f"{mode.label} · {title}", text=f"{body}\n\n{_mode_text(mode)}", tone=tone)


def build_test_message() -> Message:
    """What `send_alerts --test` sends."""
    with translation.override(settings.LANGUAGE_CODE):
        mode = current_mode()
        text = _("This channel works: alerts from Exchange Desk arrive here.")
        return Message(
            title=f"{mode.label} · {_('Test alert')}", text=f"{text}\n{base_url()}/\n\n{_mode_text(mode)}"
        )


def alert_path(alert: Alert) -> str:
    """The path of the page about this alert."""
    if alert.oco_group_id is not None:
        return f"/protection/{alert.oco_group_id}/"
    return ALERT_PATHS.get(Kind(alert.kind), "/alerts/")


def _alert_body(alert: Alert) -> str:
    raised = f"{timezone.localtime(alert.raised_at):%Y-%m-%d %H:%M:%S %Z}"
    return f"{alert_text(alert)}\n{raised} · {base_url()}{alert_path(alert)}"


def _mode_text(mode: Mode) -> str:
    if settings.ENVIRONMENT == "DRY_RUN":
        return _("*** DRY RUN: nothing here is real. Account, orders and prices are simulated. ***")
    return f"{mode.label}: {mode.short}{mode.detail}."
