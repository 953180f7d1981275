"""Every fill ever seen, with the fee as charged."""

from django.db import models
from django.db.models import Q

from exchange.fields import ExactDecimalField


class Trade(models.Model):
    """One execution (dossier 5.19). `fee` is signed as the exchange sends it: negative was deducted."""

    trade_id = models.CharField(max_length=64, unique=True)
    trade_match_id = models.CharField(max_length=64, blank=True)
    order_id = models.CharField(
        max_length=64, db_index=True, help_text="Either id of its order: one that was triggered has two."
    )
    client_oid = models.CharField(max_length=128, blank=True)
    account_id = models.CharField(max_length=64, blank=True)
    instrument_name = models.CharField(max_length=64)
    side = models.CharField(max_length=8)
    taker_side = models.CharField(max_length=8, blank=True)
    quantity = ExactDecimalField()
    price = ExactDecimalField()
    fee = ExactDecimalField()
    fee_credits = ExactDecimalField(null=True, blank=True)
    fee_currency = models.CharField(max_length=32, blank=True)
    journal_type = models.CharField(max_length=32, blank=True)
    match_count = models.IntegerField(null=True, blank=True)
    match_index = models.IntegerField(null=True, blank=True)
    isolation_id = models.CharField(max_length=64, blank=True)
    isolation_type = models.CharField(max_length=32, blank=True)
    traded_at = models.DateTimeField()
    create_time_ns = models.BigIntegerField()
    transact_time_ns = models.BigIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    is_new = models.BooleanField(
        default=True, help_text="What it means for protection has not been decided yet."
    )

    class Meta:
        db_table = "exchange_trades"
        ordering = ["-create_time_ns", "-id"]
        indexes = [
            models.Index(fields=["-create_time_ns", "-id"], name="trades_newest"),
            models.Index(fields=["instrument_name", "-create_time_ns"], name="trades_of_instrument"),
            models.Index(fields=["create_time_ns"], name="trades_undecided", condition=Q(is_new=True)),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.instrument_name} at {self.price}"
