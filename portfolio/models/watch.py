"""What the person wants to keep an eye on."""

from django.db import models


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
