"""Derivative positions, which this program only shows."""

from django.db import models

from exchange.fields import ExactDecimalField


class Perpetual(models.Model):
    """One derivative position as last read (dossier 5.10). It is told as unprotected and never acted on (rule 4).

    `market_value_usd` is what it stands for, whichever way it points; None is unknown. A closed one stays, with
    nothing in it.
    """

    instrument_name = models.CharField(max_length=64)
    isolation_id = models.CharField(max_length=64, blank=True, help_text="Blank: on the account's margin.")
    quantity = ExactDecimalField(help_text="Negative: sold short.")
    market_value_usd = ExactDecimalField(null=True, blank=True)
    since = models.DateTimeField(help_text="First seen, on this side.")
    read_at = models.DateTimeField()

    class Meta:
        db_table = "portfolio_perpetuals"
        ordering = ["instrument_name", "isolation_id"]
        constraints = [
            models.UniqueConstraint(fields=["instrument_name", "isolation_id"], name="perpetual_once")
        ]

    def __str__(self) -> str:
        return self.instrument_name
