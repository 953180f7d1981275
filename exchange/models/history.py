"""How far each stream of history has been read, what is still to read, and what cannot be."""

from django.db import models


class Stream(models.TextChoices):
    """The three histories of the exchange (dossier 7)."""

    ORDERS = "ORDERS", "orders"
    ADVANCED = "ADVANCED", "advanced orders"
    TRADES = "TRADES", "trades"


class SyncCursor(models.Model):
    """Everything of `stream` up to `read_until_ns` (exchange time) was read, but for the open ranges."""

    stream = models.CharField(max_length=16, choices=Stream.choices, unique=True)
    read_until_ns = models.BigIntegerField()

    def __str__(self) -> str:
        return self.stream


class HistoryRange(models.Model):
    """A stretch of history to be read backwards: [start_ns, next_ns) is left, [next_ns, end_ns) is done."""

    stream = models.CharField(max_length=16, choices=Stream.choices)
    start_ns = models.BigIntegerField()
    end_ns = models.BigIntegerField()
    next_ns = models.BigIntegerField()
    why = models.CharField(max_length=64)
    rows = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["-next_ns", "id"]

    def __str__(self) -> str:
        return f"{self.stream} {self.why}"


class HistoryGap(models.Model):
    """A stretch that the exchange could not give us completely: said, not hidden."""

    stream = models.CharField(max_length=16, choices=Stream.choices)
    instrument_name = models.CharField(max_length=64, blank=True)
    start_ns = models.BigIntegerField()
    end_ns = models.BigIntegerField()
    reason = models.CharField(max_length=255)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "instrument_name", "start_ns", "end_ns"], name="gap_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.reason}"
