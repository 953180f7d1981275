"""What an instrument costs now."""

from django.db import models

from exchange.fields import ExactDecimalField


class Quote(models.Model):
    """The newest ticker of an instrument that somebody looks at (dossier 5.2). None is not known.

    `price` is in the quote currency; `change_24h` is a ratio, -0.0105 is one percent down. `read_at` is when
    we read it; a ticker that did not come leaves the row as it was.
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
