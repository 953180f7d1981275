"""The journal: why every group went where it went. Nothing in it is ever changed or taken out."""

from typing import Any

from django.db import models

from exchange.core.observability import LENGTH, correlation_id
from oco.group import OcoGroup


class AppendOnly(RuntimeError):
    """The journal is only added to."""


class OcoEvent(models.Model):
    """One change (rule 14). `told` is set once it was read for the person; nothing else ever changes."""

    group = models.ForeignKey(OcoGroup, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    old = models.CharField(max_length=16, blank=True)
    new = models.CharField(max_length=16)
    reason = models.TextField()
    order_ids = models.JSONField(default=list)
    code = models.IntegerField(null=True, blank=True)
    told = models.BooleanField(default=False)
    correlation_id = models.CharField(max_length=LENGTH, blank=True, default=correlation_id, editable=False)

    class Meta:
        db_table = "oco_events"
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["id"], name="events_untold", condition=models.Q(told=False)),
            models.Index(fields=["-at", "-id"], name="events_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.old or '·'} → {self.new}: {self.reason}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("An event is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly("An event is never deleted.")
