"""Alerts, and the messages they were sent in."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.observability import CORRELATION_ID_LENGTH, correlation_id
from exchange.core.reasons import MAX_CODE_LENGTH
from exchange.fields import ExactDecimalField


def refusal_text(names: Sequence[str]) -> str:
    """Empty without names."""
    return gettext("Not accepted by %(names)s.") % {"names": ", ".join(names)} if names else ""


class Alert(models.Model):
    """Something the user must know, reported once. `state` is that of its delivery.

    What it says is data: `reason_code` with `reason_params`, rendered by `portfolio.alerts.texts` in the reader's
    language. Rows of earlier versions have no code; they are shown by their `title` and `text`, which new rows
    leave empty. `exchange_code` is what the exchange answered (dossier 3).

    `dedupe_key` is unique. An alert of an incident carries the incident's key in `condition`: it is open while
    `ended_at` is empty, and the database refuses a second open one. Alerts of `INFORMATIONAL_KINDS` are never
    open. `daily_date` is the local date of a daily report. `caused_by` is the user whose own request it reports: to
    that user it is no news.
    """

    class Kind(models.TextChoices):
        UNPROTECTED = "UNPROTECTED", _("unprotected for too long")
        STOP_FAILED = "STOP_FAILED", _("stop could not be placed")
        UNKNOWN = "UNKNOWN", _("order status unknown")
        EXIT = "EXIT", _("sold at market")
        CLOSED = "CLOSED", _("position closed")
        RELEASED = "RELEASED", _("protection removed")
        MOVED = "MOVED", _("order moved on the exchange")
        INVARIANT = "INVARIANT", _("inconsistent records")
        SYNC = "SYNC", _("sync failing")
        CLOCK = "CLOCK", _("clock out of sync")
        KEY = "KEY", _("API key rejected")
        SWITCH = "SWITCH", _("trading turned on or off")
        WORKER = "WORKER", _("worker not responding")
        WATCH = "WATCH", _("monitoring check failing")
        TRADES = "TRADES", _("missing fills")
        INSTRUMENT = "INSTRUMENT", _("unknown instrument")
        DRIFT = "DRIFT", _("unexplained balance change")
        WELL = "WELL", _("resolved")
        DAILY = "DAILY", _("daily report")

    class State(models.TextChoices):
        DUE = "DUE", _("queued")
        SENDING = "SENDING", _("sending")
        SENT = "SENT", _("sent")
        FAILED = "FAILED", _("could not be sent")
        DESK = "DESK", _("in Exchange Desk only")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=128, unique=True)
    condition = models.CharField(max_length=96, blank=True)
    daily_date = models.DateField(null=True, blank=True, unique=True)
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    exchange_code = models.IntegerField(null=True, blank=True)
    title = models.CharField(max_length=255, blank=True, help_text="Of alerts raised by earlier versions.")
    text = models.TextField(blank=True, help_text="Of alerts raised by earlier versions.")
    oco_group_id = models.UUIDField(null=True, blank=True)
    instrument_name = models.CharField(max_length=64, blank=True)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)
    caused_by = models.CharField(max_length=64, blank=True, default="")

    state = models.CharField(max_length=16, choices=State.choices, default=State.DUE)
    attempts = models.IntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as possible.")
    claim = models.CharField(max_length=32, blank=True, help_text="Of the worker that is sending it.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_to = models.JSONField(
        default=list, blank=True, help_text="Fingerprints of the channels that accepted it."
    )
    refused_by = models.JSONField(
        default=list, blank=True, help_text="Names of the channels that did not accept it."
    )
    last_error = models.CharField(
        max_length=255, blank=True, help_text="Written by earlier versions, which named no channels as data."
    )
    correlation_id = models.CharField(
        max_length=CORRELATION_ID_LENGTH,
        blank=True,
        default=correlation_id,
        editable=False,
        help_text="The run or request that caused it.",
    )

    class Meta:
        db_table = "portfolio_alerts"
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["condition"],
                condition=Q(ended_at=None) & ~Q(condition=""),
                name="one_open_alert_a_condition",
            )
        ]
        indexes = [
            models.Index(fields=["state", "raised_at"], name="alerts_by_state"),
            models.Index(fields=["condition"], name="alerts_ongoing", condition=Q(ended_at=None)),
            models.Index(
                fields=["-raised_at"], name="alerts_unseen", condition=Q(acknowledged_at=None, ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.get_kind_display()} {self.instrument_name}".rstrip()

    @property
    def delivery_error(self) -> str:
        """Why it was not delivered everywhere, in the reader's language."""
        return refusal_text(self.refused_by) or self.last_error


INFORMATIONAL_KINDS = frozenset({Alert.Kind.CLOSED, Alert.Kind.SWITCH, Alert.Kind.WELL, Alert.Kind.DAILY})
"""Nobody has to react to them."""


class AlertDismissal(models.Model):
    """A user put an alert out of the banner: for that user alone, and it stays open for everyone.

    `exposed_usd` is the value of its coin without a stop at that time: when it has grown, the banner is back.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="+")
    exposed_usd = ExactDecimalField()
    dismissed_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "portfolio_alert_dismissals"
        constraints = [models.UniqueConstraint(fields=["user", "alert"], name="one_dismissal_a_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.alert_id}"


class AlertMessage(models.Model):
    """One message that was sent, or failed. `number` grows by one: of two workers only one gets the next number."""

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField(db_index=True)
    alerts = models.IntegerField(help_text="How many it contained.")
    took = models.IntegerField(default=0, help_text="Channels that accepted it.")
    refused = models.IntegerField(default=0, help_text="Channels that did not.")

    class Meta:
        db_table = "portfolio_alert_messages"
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"#{self.number}"
