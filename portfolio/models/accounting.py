"""Balances, derivative positions, account values, cost basis, and unexplained balance changes."""

from datetime import datetime
from decimal import Decimal

from django.db import models
from django.db.models import Q

from exchange.core.times import from_ms
from exchange.fields import ExactDecimalField


class Balance(models.Model):
    """The balance of one currency (dossier 5.6).

    `available` can be withdrawn or ordered (`max_withdrawal_balance`), `reserved` is the rest. Prices and values are in
    USD; None is unknown and never shown as zero.
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
    """A derivative position as last read (dossier 5.10). It counts as unprotected and is never acted on (rule 4).

    `market_value_usd` is its size, long or short; None is unknown. A closed one stays with quantity zero.
    """

    instrument_name = models.CharField(max_length=64)
    isolation_id = models.CharField(max_length=64, blank=True, help_text="Blank: cross margin.")
    quantity = ExactDecimalField(help_text="Negative: short.")
    market_value_usd = ExactDecimalField(null=True, blank=True)
    since = models.DateTimeField(help_text="First seen on this side.")
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
    """Account value after one complete read of balances and prices; a failed read leaves a gap.

    `unpriced` lists what was held but is in no total. `grain` is how far the row has been downsampled.
    `is_reconstructed`: calculated from the simulator's trades and candles, in a dry run only.
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
    is_reconstructed = models.BooleanField(
        default=False, help_text="Calculated from the trades and candles of the simulator, not read."
    )

    class Meta:
        db_table = "portfolio_snapshots"
        ordering = ["-at_ms"]
        indexes = [
            models.Index(fields=["grain", "at_ms"], name="snapshots_by_grain"),
            models.Index(fields=["at_ms"], name="snapshots_drawn", condition=Q(is_reconstructed=True)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.total_usd} USD"

    @property
    def at(self) -> datetime:
        return from_ms(self.at_ms)


class CostCursor(models.Model):
    """Trades are entered in the order in which they were stored, up to `trade_pk`.

    `is_behind` while a coin must still be recalculated from its entries. Balances are compared with the fills since
    `compared_since_ns`; None: not compared yet.
    """

    only = models.BooleanField(default=True, unique=True, editable=False)
    trade_pk = models.BigIntegerField(default=0)
    is_behind = models.BooleanField(default=False)
    rates_due = models.BooleanField(default=True, help_text="Trades wait for their rate in dollars.")
    is_revised = models.BooleanField(
        default=False, help_text="False: calculated by 0.1.0, which did not count a part of a coin."
    )
    compared_since_ns = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.trade_pk)


class PositionCost(models.Model):
    """What the stored fills explain of one coin. From `behind_ns` on its entries must be recalculated.

    Of `uncosted` the cost is unknown; an entry of 0.1.0 without `cost_usd` did not distinguish them.
    """

    currency = models.CharField(max_length=64, unique=True)
    quantity = ExactDecimalField(help_text="Bought and not sold, after fees in the coin.")
    cost_usd = ExactDecimalField(
        null=True, blank=True, help_text="Cost of that quantity; empty when unknown."
    )
    uncosted = ExactDecimalField(default=Decimal(0), help_text="Bought at a price whose rate is not known.")
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
    """What one fill did to the stock of one coin, and the stock after it, in exchange order.

    `usd` is what was paid or received after fees, in dollars at that time. `realised_usd` is the P&L of a sale, of all
    but the quantity `unexplained`, whose cost is unknown. Stock and P&L change when an earlier fill is fetched.
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
    stock_uncosted = ExactDecimalField(default=Decimal(0))
    unexplained = ExactDecimalField(default=Decimal(0))
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
    """The difference of one coin; its fields are those of `accounting.balance_drift.Drift`."""

    currency = models.CharField(max_length=64, unique=True)
    traded = ExactDecimalField(help_text="Sum of the fills since the first reading.")
    traded_ns = models.BigIntegerField()
    known = ExactDecimalField(
        null=True,
        blank=True,
        help_text="Accepted difference of balance and fills; empty while it is established.",
    )
    seen = ExactDecimalField(
        null=True, blank=True, help_text="A different value read since, not confirmed yet."
    )
    seen_ns = models.BigIntegerField(null=True, blank=True)
    before = ExactDecimalField(
        null=True, blank=True, help_text="The accepted difference before the last reported change."
    )
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
