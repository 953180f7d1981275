"""What was bought and is owed protection: each trade in one lot, nothing from before the watermark."""

from decimal import Decimal

from django.db import models

from exchange.fields import ExactDecimalField
from oco.engine.pricing import Way


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

    After a sale (`side` SELL, rule 4) all is mirrored, in the same coins: `bought` is what is to be bought back,
    `sold` what our orders bought of it, `gone` what the money is no longer there for. What one coin may cost at
    worst (`unit_cost`) is set such that all of them never cost more than the sale brought in.
    """

    class Side(models.TextChoices):
        BUY = "BUY", "bought"
        SELL = "SELL", "sold"

    entry_order_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.BUY, help_text="Of its entry.")
    base_ccy = models.CharField(max_length=32)
    quote_ccy = models.CharField(max_length=32, blank=True, help_text="Of the money, where it buys back.")
    unit_cost = ExactDecimalField(null=True, blank=True, help_text="At worst, fee included, in that money.")
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
            ),
            models.CheckConstraint(
                condition=models.Q(side="BUY") | models.Q(unit_cost__isnull=False),
                name="lot_that_buys_has_a_cost",
            ),
        ]
        indexes = [
            models.Index(fields=["entry_order_id"], name="lots_of_entry"),
            models.Index(fields=["base_ccy"], name="lots_open", condition=models.Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.bought} {self.instrument_name}"

    @property
    def way(self) -> Way:
        return Way.after(self.side)

    @property
    def claims(self) -> str:
        """The currency that its orders take."""
        return self.quote_ccy or self.base_ccy

    @property
    def unit(self) -> Decimal:
        """How much of that currency one of its coins needs."""
        return Decimal(1) if self.unit_cost is None else self.unit_cost

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
