"""The kill switch."""

from django.db import models


class TradingSwitch(models.Model):
    """While the one row says so, no order is created by any process (rule 13). Cancels stay possible."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    is_off = models.BooleanField(default=False, help_text="Trading is switched off.")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=64)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "kill switch"
        verbose_name_plural = "kill switch"

    def __str__(self) -> str:
        return "trading is switched off" if self.is_off else "trading is on"
