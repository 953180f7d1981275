"""What the market did, bar by bar."""

from django.db import models

from exchange.fields import ExactDecimalField


class Candle(models.Model):
    """One bar of one instrument (dossier 5.3). Its numbers are final once `is_closed`.

    `is_closed` is told by the exchange and not by our clock: the answer that brought the bar held a later one.
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
