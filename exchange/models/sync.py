"""The lease, cycles, heartbeats, history progress, and the exchange account of this database."""

from django.db import models

from exchange.core.reasons import MAX_CODE_LENGTH, Reason, stored_reason
from exchange.labels import STREAM_STATUS_LABELS, label_of


class Lease(models.Model):
    """The right to send requests with our keys; `token` grows with each holder and invalidates the previous one."""

    name = models.CharField(max_length=32, unique=True)
    holder = models.CharField(max_length=128, blank=True)
    token = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} #{self.token} {self.holder}"


class SyncRun(models.Model):
    """One cycle: start, end, counts, requests and errors."""

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
    error_reasons = models.JSONField(
        default=list, blank=True, help_text="The reason of each error; empty in cycles of earlier versions."
    )
    error_codes = models.JSONField(
        default=list, blank=True, help_text="Error codes of refused requests in this cycle."
    )

    # Counts that could not be read, by field; known in the process that ran the cycle, not stored.
    unread: frozenset[str] = frozenset()

    class Meta:
        db_table = "sync_runs"
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["status", "-finished_at"], name="runs_by_status")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.get_status_display()}"


class Heartbeat(models.Model):
    """When a process was last alive."""

    name = models.CharField(max_length=128, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class StreamRecord(models.Model):
    """The user stream as its listener last saw it; one row."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    status = models.CharField(max_length=16)
    since = models.DateTimeField()
    last_message_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="Why it is down.")
    error_reason = models.JSONField(null=True, blank=True)
    refused = models.JSONField(
        default=list, blank=True, help_text="Channels that the exchange does not give."
    )
    unreadable = models.PositiveIntegerField(
        default=0, help_text="Messages and rows of this connection that could not be read."
    )
    beat_at = models.DateTimeField()

    class Meta:
        db_table = "exchange_stream"

    def __str__(self) -> str:
        return self.status_label

    @property
    def status_label(self) -> str:
        return label_of(STREAM_STATUS_LABELS, self.status)


class Stream(models.TextChoices):
    """The three histories of the exchange (dossier 7)."""

    ORDERS = "ORDERS", "orders"
    ADVANCED = "ADVANCED", "advanced orders"
    TRADES = "TRADES", "trades"


class SyncCursor(models.Model):
    """Everything in `stream` up to `read_until_ns` (exchange time) was read, except the open ranges."""

    stream = models.CharField(max_length=16, choices=Stream.choices, unique=True)
    read_until_ns = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.get_stream_display())


class HistoryRange(models.Model):
    """A history range, read backwards: [start_ns, next_ns) is left, [next_ns, end_ns) is done."""

    class Why(models.TextChoices):
        FIRST_RUN = "first run", "the first run"
        MISSED = "missed", "nothing was read for a while"
        BUSY = "busy", "more rows than a cycle reads"
        EMPTY = "empty", "the answer was empty"
        UNREADABLE = "unreadable", "rows could not be read"
        ASKED_FOR = "asked for", "requested by a user"

    stream = models.CharField(max_length=16, choices=Stream.choices)
    start_ns = models.BigIntegerField()
    end_ns = models.BigIntegerField()
    next_ns = models.BigIntegerField()
    why = models.CharField(max_length=64, choices=Why.choices)
    rows = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ["-next_ns", "id"]

    def __str__(self) -> str:
        return f"{self.get_stream_display()}: {self.get_why_display()}"


class HistoryGap(models.Model):
    """A range that the exchange could not return completely; shown to the user."""

    stream = models.CharField(max_length=16, choices=Stream.choices)
    instrument_name = models.CharField(max_length=64, blank=True)
    start_ns = models.BigIntegerField()
    end_ns = models.BigIntegerField()
    reason = models.CharField(max_length=255, help_text="In English; shown where there is no code.")
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "instrument_name", "start_ns", "end_ns"], name="gap_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_stream_display()} {self.instrument_name}".rstrip()

    @property
    def stored_reason(self) -> Reason | None:
        return stored_reason(self.reason_code, self.reason_params, text=self.reason)


class UnreadableRow(models.Model):
    """A row of the exchange that was not believed, as it came. It changed nothing; it is evidence for a person."""

    method = models.CharField(max_length=64)
    row_id = models.CharField(max_length=64, blank=True, help_text="Empty: the whole answer was unreadable.")
    problem = models.CharField(max_length=255, help_text="In English; shown where there is no code.")
    reason_code = models.CharField(max_length=MAX_CODE_LENGTH, blank=True)
    reason_params = models.JSONField(default=dict, blank=True)
    raw = models.TextField()
    times = models.IntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "exchange_unreadable_rows"
        ordering = ["-last_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["method", "row_id", "problem"], name="unreadable_row_once")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.row_id}".rstrip()

    @property
    def stored_reason(self) -> Reason | None:
        return stored_reason(self.reason_code, self.reason_params, text=self.problem)


class AccountBinding(models.Model):
    """The one environment and exchange account of this database."""

    only = models.BooleanField(default=True, unique=True, editable=False)
    environment = models.CharField(max_length=16)
    account_uuid = models.CharField(max_length=64)
    key_tail = models.CharField(max_length=4, blank=True)
    bound_at = models.DateTimeField()
    verified_at = models.DateTimeField()

    class Meta:
        permissions = [  # rights on the account (exchange.services.permissions)
            ("view", "May see the account"),
            ("trade", "May protect positions, sync and change the watchlist"),
            ("manage", "May remove protection and change the kill switch, policies, tokens and users"),
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.account_uuid}"
