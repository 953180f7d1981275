"""What was paid for the coins that are held, and what their sales brought."""

from django.db import models
from django.db.models import Q

from exchange.fields import ExactDecimalField


class CostCursor(models.Model):
    """Trades are entered in the order in which they were stored: all up to `trade_pk` are.

    `is_behind` while some coin is still to be reckoned up from its entries. What was executed since
    `compared_since_ns` is what balances are compared with; none: they never were.
    """

    only = models.BooleanField(default=True, unique=True, editable=False)
    trade_pk = models.BigIntegerField(default=0)
    is_behind = models.BooleanField(default=False)
    compared_since_ns = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"up to trade {self.trade_pk}"


class PositionCost(models.Model):
    """What the stored trades explain of one coin. From `behind_ns` on its entries are to be reckoned again."""

    currency = models.CharField(max_length=64, unique=True)
    quantity = ExactDecimalField(help_text="Bought and not sold, after fees taken in the coin.")
    cost_usd = ExactDecimalField(null=True, blank=True, help_text="What that cost; none is not known.")
    behind_ns = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "portfolio_costs"
        ordering = ["currency"]
        indexes = [
            models.Index(fields=["currency"], name="costs_behind", condition=Q(behind_ns__isnull=False))
        ]

    def __str__(self) -> str:
        return self.currency


class CostEntry(models.Model):
    """What one trade did to the stock of one coin, and the stock after it, in the order of the exchange.

    `usd` is what was paid or received after fees in dollars. `realised_usd` is what a sale gained; none is
    not known. The last two figures change when an earlier trade comes to light.
    """

    currency = models.CharField(max_length=64)
    at_ns = models.BigIntegerField()
    trade_id = models.CharField(max_length=64)
    order_id = models.CharField(max_length=64)
    instrument_name = models.CharField(max_length=64)
    change = ExactDecimalField()
    usd = ExactDecimalField(null=True, blank=True)
    is_sale = models.BooleanField()
    stock = ExactDecimalField(null=True, blank=True)
    stock_cost_usd = ExactDecimalField(null=True, blank=True)
    realised_usd = ExactDecimalField(null=True, blank=True)

    class Meta:
        db_table = "portfolio_cost_entries"
        verbose_name_plural = "cost entries"
        ordering = ["-at_ns", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "at_ns", "trade_id"], name="cost_entry_once")
        ]
        indexes = [
            models.Index(fields=["at_ns"], name="cost_sales_newest", condition=Q(is_sale=True)),
            models.Index(fields=["order_id"], name="cost_sales_of_order", condition=Q(is_sale=True)),
            models.Index(fields=["trade_id"], name="cost_sales_of_trade", condition=Q(is_sale=True)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.change}"
