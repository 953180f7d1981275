"""What the indicators say.

What the person wants to keep an eye on.
"""

from django.db import models
from django.db.models import Q


class Signal(models.Model):
    """One look at the closed bars of one instrument and timeframe; the last of them began at `candle_time`.

    Without an `action` there is no signal, and `reasons` tell why. `reasons` are keys with parameters, made
    words when they are read (portfolio/market/words.py). `inputs` are the indicators' values as text. Those
    that are not `is_latest` are history.
    """

    class Action(models.TextChoices):
        BUY = "BUY"
        SELL = "SELL"
        HOLD = "HOLD"

    instrument_name = models.CharField(max_length=64)
    timeframe = models.CharField(max_length=4)
    action = models.CharField(max_length=4, choices=Action.choices, blank=True)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="How strongly the indicators lean one way, 0 to 100."
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
        indexes = [models.Index(fields=["computed_at"], name="signals_by_age")]

    def __str__(self) -> str:
        return f"{self.instrument_name} {self.timeframe} {self.action or 'no signal'}"


class WatchlistItem(models.Model):
    """One instrument of the watchlist, in the person's own order."""

    instrument_name = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "portfolio_watchlist"
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.instrument_name
