"""Who runs, since when, and how each cycle ended."""

from django.db import models


class Lease(models.Model):
    """The right to talk to the exchange with our keys; `token` grows with each holder and fences off the last one."""

    name = models.CharField(max_length=32, unique=True)
    holder = models.CharField(max_length=128, blank=True)
    token = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} #{self.token} {self.holder}"


class SyncRun(models.Model):
    """One cycle: start, end, counts, requests, and the error in words."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", "running"
        OK = "OK", "complete"
        PARTIAL = "PARTIAL", "some parts failed"
        FAILED = "FAILED", "failed"

    started_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    trigger = models.CharField(max_length=16)
    token = models.BigIntegerField()
    balances = models.IntegerField(default=0)
    open_orders = models.IntegerField(default=0)
    executed_orders = models.IntegerField(default=0)
    trades = models.IntegerField(default=0)
    groups_created = models.IntegerField(default=0)
    groups_closed = models.IntegerField(default=0)
    requests = models.IntegerField(default=0)
    duration_ms = models.IntegerField(null=True, blank=True)
    clock_offset_ms = models.IntegerField(null=True, blank=True)
    errors = models.JSONField(default=list, blank=True)

    class Meta:
        db_table = "sync_runs"
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["status", "-finished_at"], name="runs_by_status")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.status}"


class Heartbeat(models.Model):
    """A sign of life of a process of ours, so that silence is noticed."""

    name = models.CharField(max_length=128, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
