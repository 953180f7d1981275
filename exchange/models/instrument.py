"""What can be traded, on which grid."""

from django.db import models

from exchange.fields import ExactDecimalField


class Instrument(models.Model):
    """One row of the exchange's catalogue, read once a day (dossier 5.1)."""

    symbol = models.CharField(max_length=64, unique=True)
    inst_type = models.CharField(max_length=32)
    base_ccy = models.CharField(max_length=32, db_index=True)
    quote_ccy = models.CharField(max_length=32)
    display_name = models.CharField(max_length=128, blank=True)
    quote_decimals = models.IntegerField()
    quantity_decimals = models.IntegerField()
    price_tick_size = ExactDecimalField(help_text="Prices are multiples of this; else code 308.")
    qty_tick_size = ExactDecimalField(
        help_text="Quantities are multiples of this, which may exceed 1; else code 213."
    )
    tradable = models.BooleanField()
    margin_buy_enabled = models.BooleanField(default=False)
    margin_sell_enabled = models.BooleanField(default=False)
    underlying_symbol = models.CharField(max_length=64, blank=True)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["symbol"]

    def __str__(self) -> str:
        return self.symbol
