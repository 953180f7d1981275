"""How old the data is: the age of the last complete sync, its name, and when each part last changed."""

from dataclasses import astuple, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet, Subquery
from django.utils.translation import gettext

from exchange.error_texts import render_errors
from exchange.models import Heartbeat, StreamRecord, SyncRun, TradingSwitch
from exchange.selectors import runs_finished
from exchange.services.stream_records import StreamView, stream_view
from oco.models import OcoGroup
from portfolio.models import Alert, Balance, WatchlistItem
from portfolio.status.revisions import Revisions, revisions_read

SIGNALS = "signals"
"""The heartbeat of the last signal calculation."""
LATE_AFTER = Decimal("1.5")
"""In sync intervals; up to here a picture is up to date."""
OLD_AFTER = 3
"""In sync intervals; beyond it figures are dimmed and no order form opens."""
SILENT_AFTER_SECONDS = 30
"""Without a heartbeat the worker counts as down from here on."""
KEY_CONDITIONS = ("key", "trading")
"""Of the incidents that say what the exchange thinks of the API key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastModified:
    """Id, status, end and errors of the newest finished cycle; of everything else a time or None.

    `key_alert` is the reason code of the open incident about the API key, `worker` the last heartbeat.
    """

    id: int | None = None
    status: str = ""
    errors: list[str] = field(default_factory=list)
    error_reasons: list[dict[str, Any] | None] = field(default_factory=list)
    success: datetime | None = None
    balance: datetime | None = None
    signals: datetime | None = None
    watchlist: datetime | None = None
    switch: datetime | None = None
    alert: datetime | None = None
    acknowledged: datetime | None = None
    group: datetime | None = None
    cancel: datetime | None = None
    key_alert: str | None = None
    worker: datetime | None = None
    stream_status: str | None = None
    stream_since: datetime | None = None
    stream_message: datetime | None = None
    stream_beat: datetime | None = None
    revisions: Revisions | None = None

    @property
    def is_incomplete(self) -> bool:
        """The newest cycle failed or was incomplete."""
        return self.id is not None and self.status != SyncRun.Status.OK

    def fingerprint_text(self) -> str:
        """Without the heartbeats, which change all the time and show nothing."""
        revisions = None if self.revisions is None else replace(self.revisions, beats="")
        stable = replace(self, worker=None, stream_message=None, stream_beat=None, revisions=revisions)
        return " ".join(map(str, astuple(stable)))


class Freshness(StrEnum):
    FRESH = "fresh"
    LATE = "late"
    OLD = "old"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The last complete sync and the newest error; `age_seconds` by the clock of this server."""

    status: Freshness
    last_success: datetime | None
    age_seconds: int | None
    interval_seconds: int
    last_error: str | None
    stream: StreamView
    is_deaf: bool = False
    """The stream has been down for longer than connecting again takes."""

    @property
    def is_overdue(self) -> bool:
        """By age alone: a newer cycle may have failed as well."""
        return self.age_seconds is not None and self.age_seconds > LATE_AFTER * self.interval_seconds

    @property
    def old_after_seconds(self) -> int:
        """From this age on an open page marks its data as old, even when it gets no response."""
        return OLD_AFTER * self.interval_seconds


_newest_read = LastModified()


def load_last_modified() -> LastModified:
    """One query, and a second one when a revision has changed. Empty before the first cycle has finished."""
    global _newest_read  # threads may read the same twice
    revisions = revisions_read()  # first: a change during the second query is then seen as new
    known = _newest_read
    if revisions is not None and known.revisions == revisions:
        return known
    row = runs_finished().values("id", "status", "errors", "error_reasons", **_subqueries()).first()
    columns: dict[str, Any] = dict(row or {})
    _newest_read = LastModified(**columns, revisions=revisions)
    return _newest_read


def sync_state(*, now: datetime, last_modified: LastModified | None = None) -> SyncState:
    """One query, none with `last_modified`. The error is that of the newest finished cycle, if it was not complete."""
    read, interval = last_modified or load_last_modified(), settings.SYNC_INTERVAL_SECONDS
    age = age_seconds(read.success, now=now)
    stream = stream_view(
        status=read.stream_status,
        since=read.stream_since,
        last_message_at=read.stream_message,
        beat_at=read.stream_beat,
        now=now,
    )
    return SyncState(
        status=freshness(age=age, interval=interval, is_failing=read.is_incomplete),
        last_success=read.success,
        age_seconds=age,
        interval_seconds=interval,
        last_error=_error_text(read) if read.is_incomplete else None,
        stream=stream,
        is_deaf=stream.is_deaf(now=now),
    )


def freshness(*, age: int | None, interval: int, is_failing: bool) -> Freshness:
    """`is_failing`: the newest cycle failed or was incomplete, so the data is late at best."""
    if age is None:
        return Freshness.NEVER
    if age > OLD_AFTER * interval:
        return Freshness.OLD
    return Freshness.LATE if is_failing or age > LATE_AFTER * interval else Freshness.FRESH


def age_seconds(moment: datetime | None, *, now: datetime) -> int | None:
    """Whole seconds since `moment`, never negative: two machines' clocks may differ."""
    return None if moment is None else max(0, int((now - moment).total_seconds()))


def worker_is_silent(last_modified: LastModified, *, now: datetime) -> bool:
    """It was seen and no longer is. A sync since then says that something else does its work."""
    beat, success = last_modified.worker, last_modified.success
    if beat is None or (success is not None and success > beat):
        return False
    return now - beat > timedelta(seconds=SILENT_AFTER_SECONDS)


def _subqueries() -> dict[str, Subquery]:
    complete = SyncRun.objects.filter(status=SyncRun.Status.OK, finished_at__isnull=False)
    groups = OcoGroup.objects.filter(closed_at=None)
    key_alerts = Alert.objects.filter(condition__in=KEY_CONDITIONS, ended_at=None).exclude(condition="")
    return {
        "success": _newest(complete, "finished_at"),
        "balance": _newest(Balance.objects.all(), "read_at"),
        "signals": _newest(Heartbeat.objects.filter(name=SIGNALS), "beat_at"),
        "watchlist": _newest(WatchlistItem.objects.all(), "changed_at"),
        "switch": _newest(TradingSwitch.objects.all(), "changed_at"),
        "alert": _newest(Alert.objects.all(), "raised_at"),
        "acknowledged": _newest(Alert.objects.exclude(acknowledged_at=None), "acknowledged_at"),
        "group": _newest(groups, "created_at"),
        "cancel": _newest(groups.exclude(cancel_requested_at=None), "cancel_requested_at"),
        "key_alert": Subquery(key_alerts.order_by("-raised_at").values("reason_code")[:1]),
        "worker": _newest(Heartbeat.objects.filter(name__startswith="worker"), "beat_at"),
        "stream_status": _stream_column("status"),
        "stream_since": _stream_column("since"),
        "stream_message": _stream_column("last_message_at"),
        "stream_beat": _stream_column("beat_at"),
    }


def _newest(rows: QuerySet[Any], moment: str) -> Subquery:
    return Subquery(rows.order_by(F(moment).desc()).values(moment)[:1])


def _stream_column(name: str) -> Subquery:
    return Subquery(StreamRecord.objects.values(name)[:1])


def _error_text(last_modified: LastModified) -> str:
    return "; ".join(render_errors(last_modified.errors, last_modified.error_reasons)) or gettext(
        "The last sync was not complete (%(status)s)."
    ) % {"status": last_modified.status}
