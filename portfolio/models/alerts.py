"""What the person must be told, and the messages that told it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from exchange.core.observability import CORRELATION_ID_LENGTH, correlation_id


class Alert(models.Model):
    """Something the person must be told, once. `dedupe_key` names the occasion; delivery has its own state.

    An alert with a `condition` speaks of something that lasts: while `ended_at` is empty it goes on, and the
    database refuses a second open one of the same condition. Mere news (`NEWS`) is over when it is raised.
    `daily_date` is the local date of a daily alert.
    """

    class Kind(models.TextChoices):
        UNPROTECTED = "UNPROTECTED", _("unprotected for too long")
        STOP_FAILED = "STOP_FAILED", _("stop could not be placed")
        UNKNOWN = "UNKNOWN", _("order status unknown")
        EXIT = "EXIT", _("sold at market")
        CLOSED = "CLOSED", _("position closed")
        RELEASED = "RELEASED", _("protection removed")
        INVARIANT = "INVARIANT", _("inconsistent records")
        SYNC = "SYNC", _("sync failing")
        CLOCK = "CLOCK", _("clock out of sync")
        KEY = "KEY", _("API key rejected")
        SWITCH = "SWITCH", _("trading turned on or off")
        WORKER = "WORKER", _("worker not responding")
        WATCH = "WATCH", _("monitoring check failing")
        TRADES = "TRADES", _("missing fills")
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
    title = models.CharField(max_length=255)
    text = models.TextField()
    oco_group_id = models.UUIDField(null=True, blank=True)
    instrument_name = models.CharField(max_length=64, blank=True)
    raised_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)

    state = models.CharField(max_length=16, choices=State.choices, default=State.DUE)
    attempts = models.IntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as possible.")
    claim = models.CharField(max_length=32, blank=True, help_text="Of whoever is sending it.")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sent_to = models.JSONField(default=list, blank=True, help_text="Marks of the channels that took it.")
    last_error = models.CharField(max_length=255, blank=True)
    correlation_id = models.CharField(
        max_length=CORRELATION_ID_LENGTH,
        blank=True,
        default=correlation_id,
        editable=False,
        help_text="What began it.",
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
            models.Index(
                fields=["-raised_at"], name="alerts_unseen", condition=Q(acknowledged_at=None, ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title


INFORMATIONAL_KINDS = frozenset({Alert.Kind.CLOSED, Alert.Kind.SWITCH, Alert.Kind.WELL, Alert.Kind.DAILY})
"""Good to know, and nothing to do about."""


class AlertMessage(models.Model):
    """One message that left, or tried to. `number` grows by one: who counted too late cannot add another."""

    number = models.BigIntegerField(unique=True)
    at = models.DateTimeField(db_index=True)
    alerts = models.IntegerField(help_text="How many it told of.")
    took = models.IntegerField(default=0, help_text="Channels that took it.")
    refused = models.IntegerField(default=0, help_text="Channels that did not.")

    class Meta:
        db_table = "portfolio_alert_messages"
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"message {self.number}"
