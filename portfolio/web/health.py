"""Health of the installation, and the reasons when something is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import Error

from exchange.core.database import database_problem, storage_problems
from exchange.selectors import worker_last_beat
from exchange.services.stream_records import StreamView
from exchange.stream.listener import StreamStatus
from portfolio.alerts.selectors import delivery_problem
from portfolio.dashboard.selectors import load_overview
from portfolio.status.sync_status import (
    SILENT_AFTER_SECONDS,
    Freshness,
    SyncState,
    age_seconds,
    sync_state,
)
from portfolio.status.trading_mode import current_mode
from portfolio.web.page_context import ALARM_COVERAGE, AttentionItem, attention_items

DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    age_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncAge:
    last_success: datetime | None
    age_seconds: int | None
    interval_seconds: int
    stream: StreamView


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`status` is ok, degraded or down; `reasons` are sentences, none when ok. `attention`: how many positions and
    buy-backs need attention, as the badge of the pages counts them; None while that cannot be read.
    """

    status: str
    reasons: tuple[str, ...]
    mode: str
    version: str
    database: str
    worker: WorkerState
    sync: SyncAge
    attention: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def health(*, now: datetime) -> Health:
    """Reads the database; a database that cannot be read gives `down`, one that cannot be written `degraded`."""
    storage = tuple(storage_problems())
    try:
        sync, worker = sync_state(now=now), age_seconds(worker_last_beat(), now=now)
        delivery_error = delivery_problem()
        overview = load_overview(now=now)
    except Error as error:
        return _down(error, storage)
    attention = attention_items(overview.positions, overview.buybacks)
    reasons = (
        *storage,
        *_worker_reasons(worker),
        *_sync_reasons(sync),
        *filter(None, [delivery_error]),
        *_protection_reasons(attention),
    )
    return Health(
        status="degraded" if reasons else "ok",
        reasons=reasons,
        mode=current_mode().name,
        version=settings.VERSION,
        database="ok",
        worker=WorkerState(age_seconds=worker),
        sync=SyncAge(
            last_success=sync.last_success,
            age_seconds=sync.age_seconds,
            interval_seconds=sync.interval_seconds,
            stream=sync.stream,
        ),
        attention=len(attention),
    )


def _down(error: Error, storage: tuple[str, ...]) -> Health:
    problem = database_problem(error) or f"The database cannot be read ({type(error).__name__})."
    return Health(
        status=DOWN,
        reasons=tuple(dict.fromkeys((problem, *storage))),
        mode=current_mode().name,
        version=settings.VERSION,
        database=f"cannot be read ({type(error).__name__})",
        worker=WorkerState(age_seconds=None),
        sync=SyncAge(
            last_success=None,
            age_seconds=None,
            interval_seconds=settings.SYNC_INTERVAL_SECONDS,
            stream=StreamView(status=StreamStatus.DOWN if settings.STREAM_ENABLED else StreamStatus.OFF),
        ),
    )


def _worker_reasons(age: int | None) -> Iterator[str]:
    if age is None:
        yield "The worker has never been seen."
    elif age > SILENT_AFTER_SECONDS:
        yield f"The worker has been silent for {age} s."


def _sync_reasons(sync: SyncState) -> Iterator[str]:
    if sync.status == Freshness.NEVER:
        yield "No sync has succeeded yet."
    elif sync.is_overdue:
        yield f"The last complete sync is {sync.age_seconds} s ago; it is due every {sync.interval_seconds} s."
    if sync.last_error is not None:
        yield f"The last sync failed: {sync.last_error}"
    if sync.is_deaf and sync.stream.since is not None:
        yield f"The exchange's live stream has been down since {sync.stream.since:%H:%M:%S} UTC."


def _protection_reasons(attention: Sequence[AttentionItem]) -> Iterator[str]:
    # Without names or amounts: nobody has to log in. What was never protected is counted, and no fault.
    failed = sum(item.coverage_status in ALARM_COVERAGE for item in attention)
    if failed:
        yield f"Positions whose stop is missing or not confirmed: {failed}."
