"""Signals and the watchlist."""

from django.db import models
from django.db.models import Q


class Signal(models.Model):
    """The result for one instrument and timeframe; the last closed candle began at `candle_time`.

    Without an `action` there is no signal, and `reasons` say why: keys with parameters, translated when shown
    (portfolio/signals/selectors.py). `inputs` are indicator values as text. Rows that are not `is_latest` are history.
    """

    class Action(models.TextChoices):
        BUY = "BUY"
        SELL = "SELL"
        HOLD = "HOLD"

    instrument_name = models.CharField(max_length=64)
    timeframe = models.CharField(max_length=4)
    action = models.CharField(max_length=4, choices=Action.choices, blank=True)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Strength of the signal, 0 to 100."
    )
    reasons = models.JSONField(default=list)
    inputs = models.JSONField(default=dict)
    candle_time = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField()
    is_latest = models.BooleanField(default=True)

    class Meta:
        db_table = "portfolio_signals"
        ordering = ["-computed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["instrument_name", "timeframe"], condition=Q(is_latest=True), name="one_latest_signal"
            )
        ]
        indexes = [
            models.Index(fields=["computed_at"], name="signals_by_age"),
            models.Index(fields=["-computed_at", "-id"], name="signals_latest", condition=Q(is_latest=True)),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_name} {self.timeframe} {self.action or '–'}"


class WatchlistItem(models.Model):
    """One instrument of the watchlist, in the order of the user."""

    instrument_name = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "portfolio_watchlist"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.instrument_name
