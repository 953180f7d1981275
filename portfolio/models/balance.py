"""What the account holds, in numbers a person can read."""

from django.db import models

from exchange.fields import ExactDecimalField


class Balance(models.Model):
    """What the account holds of one currency (dossier 5.6).

    `available` is what may leave or be ordered (`max_withdrawal_balance`), `reserved` the rest. Prices and
    values are in USD; None is unknown and never shown as zero.
    """

    currency = models.CharField(max_length=32, unique=True)
    quantity = ExactDecimalField()
    available = ExactDecimalField(null=True, blank=True)
    reserved = ExactDecimalField(null=True, blank=True)
    price_usd = ExactDecimalField(null=True, blank=True)
    market_value_usd = ExactDecimalField(null=True, blank=True)
    read_at = models.DateTimeField()

    class Meta:
        db_table = "portfolio_balances"
        ordering = ["currency"]

    def __str__(self) -> str:
        return self.currency
