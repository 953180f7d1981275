"""Instruments, candles and quotes."""

from django.db import models

from exchange.fields import ExactDecimalField


class Instrument(models.Model):
    """One row of the exchange's catalogue, read once a day (dossier 5.1).

    Its type and currencies stay as they were until two answers agree on the change: `doubt` is what the last one said.
    """

    symbol = models.CharField(max_length=64, unique=True)
    inst_type = models.CharField(max_length=32)
    base_ccy = models.CharField(max_length=32, db_index=True)
    quote_ccy = models.CharField(max_length=32)
    display_name = models.CharField(max_length=128, blank=True)
    quote_decimals = models.IntegerField()
    quantity_decimals = models.IntegerField()
    price_tick_size = ExactDecimalField(help_text="Prices must be multiples of this (else error 308).")
    qty_tick_size = ExactDecimalField(
        help_text="Quantities must be multiples of this, which may exceed 1 (else error 213)."
    )
    tradable = models.BooleanField()
    margin_buy_enabled = models.BooleanField(default=False)
    margin_sell_enabled = models.BooleanField(default=False)
    underlying_symbol = models.CharField(max_length=64, blank=True)
    doubt = models.CharField(max_length=128, blank=True, editable=False)
    doubted_at = models.DateTimeField(null=True, blank=True, editable=False)
    rules_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The first answer with these tick sizes and this type.",
    )
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["symbol"]
        indexes = [
            models.Index(
                fields=["doubted_at"], name="instruments_doubted", condition=~models.Q(doubted_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.symbol


class Candle(models.Model):
    """One bar of one instrument (dossier 5.3). Its numbers are final once `is_closed`.

    `is_closed` does not depend on our clock: the response with the bar contained a later one.
    """

    instrument_name = models.CharField(max_length=64)
    timeframe = models.CharField(max_length=4)
    opened_at = models.DateTimeField()
    open = ExactDecimalField()
    high = ExactDecimalField()
    low = ExactDecimalField()
    close = ExactDecimalField()
    volume = ExactDecimalField(help_text="In the base currency.")
    is_closed = models.BooleanField()
    read_at = models.DateTimeField()

    class Meta:
        db_table = "exchange_candles"
        ordering = ["instrument_name", "timeframe", "opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument_name", "timeframe", "opened_at"], name="one_bar_a_time"
            )
        ]
        indexes = [
            models.Index(
                fields=["instrument_name", "timeframe"],
                name="candles_unfinished",
                condition=models.Q(is_closed=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.instrument_name} {self.timeframe} {self.opened_at:%Y-%m-%d %H:%M}"


class Quote(models.Model):
    """The newest ticker of a displayed instrument (dossier 5.2). None is unknown.

    `price` is in the quote currency; `change_24h` is a ratio, -0.0105 is one percent down. `read_at` is our
    time of the read; without a new ticker the row stays as it was.
    """

    instrument_name = models.CharField(max_length=64, unique=True)
    price = ExactDecimalField(null=True, blank=True)
    change_24h = ExactDecimalField(null=True, blank=True)
    read_at = models.DateTimeField()

    class Meta:
        db_table = "exchange_quotes"
        ordering = ["instrument_name"]

    def __str__(self) -> str:
        return self.instrument_name
