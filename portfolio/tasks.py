"""Tasks of the queue. Their dotted names are stored in the tables of django-q2."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from exchange.core.observability import correlated
from exchange.models import SyncRun
from exchange.sync.backfill import backfill_is_due, history_slice
from portfolio.accounting.equity_curve import snapshot_downsample, value_history_reconstruct
from portfolio.alerts.delivery import alerts_are_due
from portfolio.alerts.runner import run_alert_checks
from portfolio.alerts.system_checks import heartbeat_ping
from portfolio.worker.database import delete_old_rows
from portfolio.worker.runner import EXPECTED_ERRORS, STREAM_TRIGGER, cycle_is_fresh, narrow_run, sync_run
from portfolio.worker.schedule import next_sync_due

MAX_SLICE = timedelta(seconds=20)
MIN_SLICE = timedelta(seconds=4)
CYCLE_MARGIN = timedelta(seconds=3)


def sync_cycle() -> str:
    """The scheduled cycle. A redelivered task, or one that another worker is running, does nothing."""
    if cycle_is_fresh(timezone.now()):
        return "a scheduled cycle began a moment ago"
    return _after_sync(sync_run(trigger="schedule"))


def sync_now(requested_by: str, cause: str = "") -> str:
    """A cycle requested by a user or an API client; `cause` is the id of that request."""
    with correlated(cause):
        return _after_sync(sync_run(trigger=requested_by[:16]))


def sync_subscribed() -> str:
    """A cycle because the user stream has begun: what happened before is read; after a running one, which may have
    read too early.
    """
    return _after_sync(sync_run(trigger=STREAM_TRIGGER, after_running=True))


def sync_stream(ended: Sequence[Sequence[str]] = ()) -> str:
    """A narrow cycle because the user stream announced something, and a full one if that settles nothing. `ended` are
    the name spaces and ids of orders that it reported as ended.
    """
    if narrow_run(ended=[(space, order_id) for space, order_id in ended]):
        _queue_urgent()
        return "what the stream announced was read"
    return _after_sync(sync_run(trigger=STREAM_TRIGGER, after_running=True))


def read_history() -> str:
    """A slice of old history, and another one while there is time before the next cycle."""
    length = slice_length(timezone.now())
    if length < MIN_SLICE:
        return "the next cycle is due"
    try:
        done = history_slice(seconds=length.total_seconds())
    except EXPECTED_ERRORS as error:
        return f"history waits for the next cycle: {error}"
    if done is None:
        return "another process holds the lease"
    value_history_reconstruct(now=timezone.now())
    if not done:
        _queue_history()
    return "history is complete" if done else "history continues"


def thin_values() -> str:
    """Downsample old account values."""
    return f"{snapshot_downsample(now=timezone.now())} account values were downsampled"


def tidy_up() -> str:
    """Delete old technical rows, a limited number of them."""
    return f"{delete_old_rows(now=timezone.now())} old rows were deleted"


def send_alerts() -> str:
    """Check and send alerts. It never waits for a cycle, nor a cycle for it."""
    counts = run_alert_checks()
    return f"{counts.sent} sent, {counts.failed} failed, {counts.waiting} waiting"


def ping_heartbeat() -> str:
    """Report a successful cycle to an external monitor."""
    return "accepted" if heartbeat_ping() else "not accepted"


def read_market() -> str:
    """Fetch new candles and recalculate signals."""
    # numpy and TA-Lib are large, and no other task needs them
    from portfolio.signals.services import market_update

    read = market_update()
    value_history_reconstruct(now=timezone.now())
    return read


def slice_length(now: datetime) -> timedelta:
    """How long a history slice may take from `now` on, so that it ends before the next cycle is due."""
    return min(MAX_SLICE, next_sync_due(now=now) - now - CYCLE_MARGIN)


def _after_sync(run: SyncRun | None) -> str:
    if run is None:
        return "another cycle is running"
    _queue_urgent()
    if run.status == SyncRun.Status.OK and settings.HEARTBEAT_URL:
        async_task("portfolio.tasks.ping_heartbeat", group="heartbeat")
    if run.status != SyncRun.Status.FAILED and backfill_is_due():
        _queue_history()
    if run.status == SyncRun.Status.OK and _is_first(run):
        async_task("portfolio.tasks.read_market", group="market")  # only now the held coins are known
    return str(run)


def _queue_urgent() -> None:
    # Urgent alerts do not wait for the next minute.
    if alerts_are_due(now=timezone.now()):
        async_task("portfolio.tasks.send_alerts", group="alerts")


def _is_first(run: SyncRun) -> bool:
    return not SyncRun.objects.filter(status=SyncRun.Status.OK).exclude(pk=run.pk).exists()


def _queue_history() -> None:
    async_task("portfolio.tasks.read_history", group="history")
