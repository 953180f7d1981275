"""What the account was worth, time after time."""

from datetime import datetime

from django.db import models

from exchange.core.utils import from_ms
from exchange.fields import ExactDecimalField


class PortfolioSnapshot(models.Model):
    """The value at the end of one complete reading of balances and prices; no reading leaves a gap.

    `unpriced` names what was held but is in no total. `grain` says how far the row has been thinned.
    """

    class Grain(models.TextChoices):
        CYCLE = "CYCLE", "of a cycle"
        HOUR = "HOUR", "the last of its hour"
        DAY = "DAY", "the last of its day"

    at_ms = models.BigIntegerField(unique=True, help_text="Milliseconds since the epoch.")
    total_usd = ExactDecimalField()
    cash_usd = ExactDecimalField(null=True, blank=True)
    unpriced = models.JSONField(default=list, blank=True)
    grain = models.CharField(max_length=8, choices=Grain.choices, default=Grain.CYCLE)

    class Meta:
        db_table = "portfolio_snapshots"
        ordering = ["-at_ms"]
        indexes = [models.Index(fields=["grain", "at_ms"], name="snapshots_by_grain")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.total_usd} USD"

    @property
    def at(self) -> datetime:
        return from_ms(self.at_ms)
