"""One order of ours: written down with its name before it leaves, and what became of it."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import models
from django.db.models import Q

from exchange.fields import ExactDecimalField
from oco.engine.types import Role
from oco.group import OcoGroup

CLOCK_DOUBT = timedelta(seconds=2)


class OcoLeg(models.Model):
    """An intent to place an order, and then what is known of it. `client_oid` makes a second one impossible."""

    class Status(models.TextChoices):
        INTENT = "INTENT", "about to be sent"
        SENT = "SENT", "sent, no answer"
        ACCEPTED = "ACCEPTED", "accepted, not read back"
        OPEN = "OPEN", "read back open"
        FILLED = "FILLED", "filled"
        CANCELED = "CANCELED", "cancelled"
        EXPIRED = "EXPIRED", "expired"
        REJECTED = "REJECTED", "rejected by the exchange"
        REFUSED = "REFUSED", "refused when it was sent"
        ABSENT = "ABSENT", "never reached the exchange"

    group = models.ForeignKey(OcoGroup, on_delete=models.PROTECT, related_name="legs")
    generation = models.IntegerField()
    order_role = models.CharField(max_length=16, choices=[(role, role) for role in Role])
    name_space = models.CharField(max_length=8)
    client_oid = models.CharField(max_length=36, unique=True)
    type = models.CharField(max_length=16)
    side = models.CharField(max_length=8)
    quantity = ExactDecimalField()
    price = ExactDecimalField(null=True, blank=True)
    trigger_price = ExactDecimalField(null=True, blank=True)
    order_id = models.CharField(max_length=64, blank=True)
    exchange_order_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.INTENT)
    executed = ExactDecimalField(default=Decimal(0))
    end_code = models.IntegerField(default=0)
    sent_at = models.DateTimeField()
    acknowledged = models.BooleanField(default=False, help_text="The exchange said once that it has it.")
    was_lost = models.BooleanField(
        default=False, help_text="Nobody could find it once; it is sent again under its name only."
    )
    earlier = models.JSONField(default=list, help_text="Quantities and prices sent under this name before.")
    exists = models.BooleanField(default=False, help_text="The exchange said that it has it (204).")
    looks = models.IntegerField(default=0, help_text="Healthy looks that did not find it (rule 6).")
    looked_at = models.DateTimeField(null=True, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True)
    cancel_answer = models.CharField(max_length=255, blank=True)
    refused_code = models.IntegerField(null=True, blank=True)
    refused_text = models.CharField(max_length=255, blank=True)

    class Meta:
        db_table = "oco_legs"
        ordering = ["generation", "id"]
        constraints = [
            models.UniqueConstraint(fields=["group", "generation", "order_role"], name="leg_once"),
        ]
        indexes = [
            models.Index(fields=["order_id"], name="legs_by_order", condition=~Q(order_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.order_role} {self.quantity} {self.status}"

    @property
    def executes_from(self) -> datetime:
        """Nothing of it executed earlier, whatever the two clocks say."""
        moment: datetime = self.sent_at
        return moment - CLOCK_DOUBT
