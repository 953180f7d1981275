"""Sync in the admin: cycles, progress, gaps, and running processes."""

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import (
    FailedRunFilter,
    ReadOnlyAdmin,
    RecentRunsFilter,
    UnfinishedRangeFilter,
    display,
    format_to_second,
    list_link,
)
from exchange.core.times import NS_PER_MS, from_ms
from exchange.error_texts import reason_text, render_errors
from exchange.labels import TRIGGER_LABELS, label_of
from exchange.models import (
    AccountBinding,
    AuditEntry,
    Heartbeat,
    HistoryGap,
    HistoryRange,
    Lease,
    StreamRecord,
    SyncCursor,
    SyncRun,
    UnreadableRow,
)


def format_ns(ns: int) -> str:
    """An exchange time in nanoseconds, to the millisecond."""
    return from_ms(ns // NS_PER_MS).isoformat(sep=" ", timespec="milliseconds")


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    change_list_template = "admin/sync_now_list.html"
    list_display = (
        "started",
        "status",
        "what_failed",
        "trigger_label",
        "balances",
        "open_orders",
        "executed_orders",
        "trades",
        "requests",
        "duration_ms",
        "clock_offset_ms",
    )
    list_filter = (FailedRunFilter, "status", RecentRunsFilter)
    exclude = ("errors", "error_reasons", "trigger")
    readonly_fields = ("trigger_label", "what_failed", "sent")

    @display(description=_("trigger"))
    def trigger_label(self, run: SyncRun) -> str:
        return label_of(TRIGGER_LABELS, run.trigger)

    @display(description=_("audit log"))
    def sent(self, run: SyncRun) -> str:
        return list_link(AuditEntry, gettext("What it sent"), correlation_id__exact=f"run-{run.pk}")

    @display(description=_("started at"))
    def started(self, run: SyncRun) -> str | None:
        return format_to_second(run.started_at)

    @display(description=_("errors"))
    def what_failed(self, run: SyncRun) -> str:
        return " ".join(render_errors(run.errors, run.error_reasons))


@admin.register(HistoryRange)
class HistoryRangeAdmin(ReadOnlyAdmin):
    list_display = ("stream", "why", "start", "left_until", "end", "rows", "done_at")
    list_filter = (UnfinishedRangeFilter, "stream")

    @display(description=_("from"))
    def start(self, row: HistoryRange) -> str:
        return format_ns(row.start_ns)

    @display(description=_("left to read until"))
    def left_until(self, row: HistoryRange) -> str:
        return format_ns(row.next_ns)

    @display(description=_("to"))
    def end(self, row: HistoryRange) -> str:
        return format_ns(row.end_ns)


@admin.register(HistoryGap)
class HistoryGapAdmin(ReadOnlyAdmin):
    list_display = ("stream", "instrument_name", "start", "end", "what", "found_at")
    list_filter = ("stream",)
    exclude = ("reason", "reason_code", "reason_params")
    readonly_fields = ("what",)

    @display(description=_("reason"))
    def what(self, row: HistoryGap) -> str:
        return reason_text(row.stored_reason)

    @display(description=_("from"))
    def start(self, row: HistoryGap) -> str:
        return format_ns(row.start_ns)

    @display(description=_("to"))
    def end(self, row: HistoryGap) -> str:
        return format_ns(row.end_ns)


@admin.register(UnreadableRow)
class UnreadableRowAdmin(ReadOnlyAdmin):
    list_display = ("method", "row_id", "what", "times", "first_seen", "last_seen")
    list_filter = ("method",)
    exclude = ("problem", "reason_code", "reason_params")
    readonly_fields = ("what",)

    @display(description=_("problem"))
    def what(self, row: UnreadableRow) -> str:
        return reason_text(row.stored_reason)

    @display(description=_("first seen"))
    def first_seen(self, row: UnreadableRow) -> str | None:
        return format_to_second(row.first_seen_at)

    @display(description=_("last seen"))
    def last_seen(self, row: UnreadableRow) -> str | None:
        return format_to_second(row.last_seen_at)


@admin.register(SyncCursor)
class SyncCursorAdmin(ReadOnlyAdmin):
    list_display = ("stream", "read_until")

    @display(description=_("read until"))
    def read_until(self, row: SyncCursor) -> str:
        return format_ns(row.read_until_ns)


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("name", "holder", "token", "expires_at")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "beat")

    @display(description=_("last seen"))
    def beat(self, heartbeat: Heartbeat) -> str | None:
        return format_to_second(heartbeat.beat_at)


@admin.register(StreamRecord)
class StreamRecordAdmin(ReadOnlyAdmin):
    list_display = ("status_label", "since", "last_message", "why", "not_given", "not_readable")
    exclude = ("status", "error", "error_reason", "refused", "unreadable")
    readonly_fields = ("status_label", "why", "not_given", "not_readable")

    @display(description=_("status"))
    def status_label(self, record: StreamRecord) -> str:
        return record.status_label

    @display(description=_("last message"))
    def last_message(self, record: StreamRecord) -> str | None:
        return format_to_second(record.last_message_at)

    @display(description=_("error"))
    def why(self, record: StreamRecord) -> str:
        return " ".join(render_errors([record.error], [record.error_reason])) if record.error else ""

    @display(description=_("channels that the exchange does not give"))
    def not_given(self, record: StreamRecord) -> str:
        texts = render_errors(
            [each["text"] for each in record.refused], [each["reason"] for each in record.refused]
        )
        return " ".join(
            f"{each['channel']}: {text}" for each, text in zip(record.refused, texts, strict=True)
        )

    @display(description=_("messages and rows that cannot be read"))
    def not_readable(self, record: StreamRecord) -> int:
        return record.unreadable


@admin.register(AccountBinding)
class AccountBindingAdmin(ReadOnlyAdmin):
    list_display = ("environment", "account_uuid", "key_tail", "bound_at", "verified_at")
