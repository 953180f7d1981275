"""Records each cycle, however it ends."""

from collections.abc import Sequence
from datetime import datetime

from exchange.models import SyncRun
from exchange.services.lease import Held


def run_start(*, held: Held, trigger: str, now: datetime) -> SyncRun:
    """Open the record of a cycle; one that a killed process left open is closed as such."""
    SyncRun.objects.filter(status=SyncRun.Status.RUNNING, token__lt=held.token).update(
        status=SyncRun.Status.FAILED,
        finished_at=now,
        errors=["The process was stopped in the middle of this cycle."],
    )
    return SyncRun.objects.create(started_at=now, trigger=trigger, token=held.token)


def run_finish(*, run: SyncRun, errors: Sequence[str], failed: bool, now: datetime) -> SyncRun:
    """Close the record: complete, partial when some part failed, or failed as a whole."""
    run.errors = list(errors)
    run.status = SyncRun.Status.FAILED if failed else SyncRun.Status.PARTIAL if errors else SyncRun.Status.OK
    run.finished_at = now
    run.duration_ms = round((now - run.started_at).total_seconds() * 1000)
    run.save()
    return run
