"""How much is risked, and what happens when a plan meets the market."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from exchange.fields import ExactDecimalField


class ProtectionPolicy(models.Model):
    """The rule for one instrument, or with a blank name the one for all others, by side of the entry (rule 3).

    Those for sales are off until a person turns one on: then what is sold for cash is bought back (rule 4).
    """

    class Side(models.TextChoices):
        BUY = "BUY", "bought"
        SELL = "SELL", "sold"

    class OnBreach(models.TextChoices):
        EXIT = "EXIT", "sell, or buy back, at the market, within 15 minutes"
        ALERT = "ALERT", "only say so"

    class OnHandCancel(models.TextChoices):
        RESPECT = "RESPECT", "leave it unprotected and say so"
        REPLACE = "REPLACE", "place it again"

    instrument_name = models.CharField(max_length=64, blank=True, help_text="Blank: every other instrument.")
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.BUY)
    enabled = models.BooleanField(
        default=True,
        help_text="Off: what was bought is shown as unprotected, and what was sold is not bought back.",
    )
    enabled_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="What was sold before is not bought back."
    )
    stop_pct = ExactDecimalField(
        "stop, in %",
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal("99"))],
        help_text="The stop lies this many per cent below the average price paid; after a sale above what it brought.",
    )
    target_pct = ExactDecimalField(
        "target, in %",
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.1")), MaxValueValidator(Decimal("900"))],
        help_text="The target lies this many per cent on the other side. Blank: a stop alone.",
    )
    minimum_value_usd = ExactDecimalField(
        "minimum value, in USD",
        default=Decimal("0"),
        validators=[MinValueValidator(Decimal("0"))],
        help_text="An entry worth less than this waits for the next ones. The exchange's own minimum is 1 USD.",
    )
    on_breach = models.CharField(max_length=8, choices=OnBreach.choices, default=OnBreach.EXIT)
    on_hand_cancel = models.CharField(
        max_length=8, choices=OnHandCancel.choices, default=OnHandCancel.RESPECT
    )
    distance_pct = ExactDecimalField(
        "distance from mark, in %",
        default=Decimal("0.5"),
        validators=[MinValueValidator(Decimal("0"))],
        help_text="Both orders of a pair stay this far from mark, or the exchange may refuse them.",
    )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """From the moment at which it is switched on, and no earlier, sales fall under it."""
        self.enabled_since = (self.enabled_since or timezone.now()) if self.enabled else None
        super().save(*args, **kwargs)

    class Meta:
        db_table = "oco_policies"
        verbose_name_plural = "protection policies"
        ordering = ["instrument_name", "side"]
        constraints = [
            models.UniqueConstraint(fields=["instrument_name", "side"], name="policy_once_per_instrument"),
        ]

    def __str__(self) -> str:
        name = self.instrument_name or "every other instrument"
        return name if self.side == self.Side.BUY else f"{name}, {self.get_side_display()}"
