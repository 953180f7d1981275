"""The stop and the target of one lot, as one thing with a state."""

import uuid

from django.db import models
from django.db.models import Q

from exchange.core.observability import LENGTH, correlation_id
from exchange.fields import ExactDecimalField
from oco.engine.states import OPEN, State
from oco.lot import Lot


class OcoGroup(models.Model):
    """At most one open group per lot: the database refuses a second (invariant *Unique*)."""

    class Link(models.TextChoices):
        NATIVE = "NATIVE", "linked by the exchange"
        PAIRED = "PAIRED", "linked by us"

    oco_group_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="groups")
    state = models.CharField(
        max_length=16, choices=[(state, state) for state in State], default=State.PENDING
    )
    link = models.CharField(max_length=8, choices=Link.choices, default=Link.NATIVE)
    generation = models.IntegerField(help_text="Of its newest orders.")
    instrument_name = models.CharField(max_length=64)
    quantity = ExactDecimalField(help_text="What its newest orders are for.")
    entry_price = ExactDecimalField(null=True, blank=True)
    stop_price = ExactDecimalField()
    take_profit_price = ExactDecimalField(null=True, blank=True)
    entry_order_id = models.CharField(max_length=64, blank=True)
    list_id = models.CharField(max_length=64, blank=True)
    failures = models.IntegerField(default=0, help_text="Cycles in a row whose order was refused (rule 7).")
    reason = models.TextField(blank=True)
    state_since = models.DateTimeField()
    uncovered_since = models.DateTimeField(null=True, blank=True)
    last_active_at = models.DateTimeField(null=True, blank=True)
    grace_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.CharField(max_length=64, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_by = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(
        max_length=LENGTH, blank=True, default=correlation_id, editable=False, help_text="What began it."
    )
    idempotency_key = models.CharField(max_length=128, null=True, blank=True, unique=True)

    class Meta:
        db_table = "oco_groups"
        ordering = ["-created_at", "oco_group_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lot"], condition=Q(state__in=sorted(OPEN)), name="one_open_group_per_lot"
            )
        ]
        indexes = [
            models.Index(fields=["state"], name="groups_open", condition=Q(closed_at=None)),
            models.Index(fields=["-closed_at"], name="groups_newest_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_name} {self.quantity} {self.state}"
