"""What was bought and is owed protection: each trade in one lot, nothing from before the watermark."""

from decimal import Decimal

from django.db import models

from exchange.fields import ExactDecimalField


class Watermark(models.Model):
    """Rule 1: the exchange's time at the start of the first complete read, compared per trade."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    since_ns = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.since_ns)


class Lot(models.Model):
    """A fixed set of trades of one entry order, or coins that a person asked us to protect.

    It owns what was bought, minus what our orders sold of it, minus what left the account otherwise.
    `short_*` remember a balance that did not show all of it, until a second read agrees (rule 10).
    """

    entry_order_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    base_ccy = models.CharField(max_length=32)
    first_trade_id = models.CharField(max_length=64)
    bought = ExactDecimalField(help_text="After fees taken in the coin itself.")
    dust = ExactDecimalField(help_text="The part of it that is below the quantity grid.")
    sold = ExactDecimalField(default=Decimal(0), help_text="Executed by our own orders; never falls.")
    gone = ExactDecimalField(default=Decimal(0), help_text="Left the account otherwise, or was merged.")
    average_price = ExactDecimalField(null=True, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True, help_text="The last of its trades.")
    first_generation = models.IntegerField(default=0, help_text="Its orders are numbered from the next one.")
    by_person = models.BooleanField(default=False)
    merging = models.BooleanField(default=False)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    short_since = models.DateTimeField(null=True, blank=True)
    short_missing = ExactDecimalField(default=Decimal(0))
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "oco_lots"
        ordering = ["opened_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["entry_order_id", "first_trade_id", "first_generation"], name="lot_once"
            )
        ]
        indexes = [
            models.Index(fields=["entry_order_id"], name="lots_of_entry"),
            models.Index(fields=["base_ccy"], name="lots_open", condition=models.Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.bought} {self.instrument_name}"

    @property
    def owned(self) -> Decimal:
        """What it still owns, dust included; never less than nothing."""
        rest: Decimal = self.bought - self.sold - self.gone
        return max(rest, Decimal(0))


class LotTrade(models.Model):
    """A trade counts once. Without a lot it was passed over: nothing was to be protected when it came."""

    trade_id = models.CharField(max_length=64, unique=True)
    lot = models.ForeignKey(Lot, null=True, on_delete=models.PROTECT, related_name="trades")

    class Meta:
        db_table = "oco_lot_trades"

    def __str__(self) -> str:
        return self.trade_id
