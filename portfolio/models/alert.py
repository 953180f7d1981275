"""What the person must be told."""

from django.db import models


class Alert(models.Model):
    """Something the person must be told, once. `dedupe_key` names the occasion; delivery has its own state."""

    class Kind(models.TextChoices):
        UNPROTECTED = "UNPROTECTED", "unprotected for too long"
        STOP_FAILED = "STOP_FAILED", "no stop can be placed"
        UNKNOWN = "UNKNOWN", "an order's fate is not known"
        EXIT = "EXIT", "sold at the market"
        CLOSED = "CLOSED", "a position was closed"
        RELEASED = "RELEASED", "protection was taken away"
        INVARIANT = "INVARIANT", "the books do not add up"

    class State(models.TextChoices):
        DUE = "DUE", "to be delivered"
        DELIVERED = "DELIVERED", "delivered"
        FAILED = "FAILED", "could not be delivered"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=128, unique=True)
    title = models.CharField(max_length=255)
    text = models.TextField()
    oco_group_id = models.UUIDField(null=True, blank=True)
    instrument_name = models.CharField(max_length=64, blank=True)
    raised_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.DUE)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "portfolio_alerts"
        ordering = ["-raised_at", "-id"]
        indexes = [models.Index(fields=["state", "raised_at"], name="alerts_by_state")]

    def __str__(self) -> str:
        return self.title
