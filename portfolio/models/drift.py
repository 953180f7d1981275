"""What is held of each coin beyond what its trades explain."""

from django.db import models

from exchange.fields import ExactDecimalField


class CoinDrift(models.Model):
    """One coin since the first look; the fields are those of `portfolio.worth.drift.Drift`."""

    currency = models.CharField(max_length=64, unique=True)
    traded = ExactDecimalField(help_text="What executions brought since the first look.")
    traded_ns = models.BigIntegerField()
    known = ExactDecimalField(
        null=True, blank=True, help_text="Balance less trades, as known; none is still learnt."
    )
    seen = ExactDecimalField(null=True, blank=True, help_text="The same as read now, where it is another.")
    seen_ns = models.BigIntegerField(null=True, blank=True)
    before = ExactDecimalField(null=True, blank=True, help_text="Before the change that was told last.")
    told_ns = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "portfolio_drifts"
        ordering = ["currency"]

    def __str__(self) -> str:
        return self.currency
