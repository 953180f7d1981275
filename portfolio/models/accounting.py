"""What the account holds, in numbers a person can read.

Derivative positions, which this program only shows.

What the account was worth, time after time.

What was paid for the coins that are held, and what their sales brought.

What is held of each coin beyond what its trades explain.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

from exchange.core.times import from_ms
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


class BalanceChange(models.Model):
    """A change of a balance that no fill explains, confirmed by a second read; written once, then reported.

    With `is_reversal` it undid the change first seen at `since_ns` (exchange time).
    """

    currency = models.CharField(max_length=64)
    change = ExactDecimalField(help_text="Negative: the balance decreased.")
    since_ns = models.BigIntegerField()
    price_usd = ExactDecimalField(null=True, blank=True)
    is_reversal = models.BooleanField(default=False)
    reported = models.BooleanField(default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "portfolio_balance_changes"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], name="changes_unreported", condition=Q(reported=False)),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.change}"
