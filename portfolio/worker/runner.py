"""Runs one cycle under the lease and records how it ended."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from exchange.client.client import Client, client_from_settings
from exchange.client.errors import ExchangeError
from exchange.core.database import database_sentence
from exchange.core.observability import correlated, new_correlation_id
from exchange.core.reasons import Sentence, SyncReason, sentence_of
from exchange.models import SyncRun
from exchange.services.lease import (
    CHECK_PURPOSE,
    HISTORY_PURPOSE,
    Lease,
    LeaseLost,
    lease_is_silent,
    lease_take_soon,
)
from exchange.services.runs import WrongAccount, run_finish, run_start
from exchange.services.stream_records import cycle_interval
from exchange.sync.fetch import OrderKey
from oco.services.groups import REPRICE_PURPOSE
from oco.services.kill_switch import switch_store_file
from portfolio.worker.cycle import AccountUnreadable, run_cycle
from portfolio.worker.fills import FILL_PURPOSE
from portfolio.worker.narrow_cycle import NeedsFullCycle, run_narrow_cycle

logger = logging.getLogger("exchange_sync")

COMMAND_TRIGGER = "command"
STREAM_TRIGGER = "stream"
NARROW_PURPOSE = "narrow"
SHORT_PURPOSES = (HISTORY_PURPOSE, CHECK_PURPOSE, REPRICE_PURPOSE, FILL_PURPOSE, NARROW_PURPOSE)
LEASE_STEP_S = 0.1
LEASE_TIMEOUT_SECONDS = 25  # a history slice takes at most 20 s and one request
EXPECTED_ERRORS = (ExchangeError, WrongAccount, LeaseLost, AccountUnreadable)


def sync_run(*, trigger: str, after_running: bool = False) -> SyncRun | None:
    """One cycle in this process; None when another one holds the lease. Exchange errors are recorded, not raised.

    It waits for whatever holds the lease for a short time, and for that of a killed process to expire;
    `after_running`: for a running cycle as well.
    """
    lease = lease_take_soon(
        purpose="cycle",
        seconds=LEASE_TIMEOUT_SECONDS,
        step_s=LEASE_STEP_S,
        may_wait=lambda holder: after_running or not _is_cycle_at_work(holder),
    )
    if lease is None:
        return None
    try:
        run = run_start(lease=lease, trigger=trigger, now=timezone.now())
        with correlated(f"run-{run.pk}"):
            _run(lease, run)
    finally:
        lease.release()
    with correlated(f"run-{run.pk}"):
        _log_end(run)
    return run


def _run(lease: Lease, run: SyncRun) -> None:
    client = client_from_settings(before_request=lease.before_request)
    client.assume_idle(lease.idle_ms)
    errors, failed = _cycle(client, lease, run)
    run.requests, run.clock_offset_ms = client.requests, client.clock_offset_ms
    run.error_codes = client.error_codes
    client.close()
    run_finish(run=run, errors=errors, failed=failed, now=timezone.now())


def narrow_run(*, ended: Sequence[OrderKey]) -> bool:
    """A narrow cycle; whether it settled what it was for. If not, a full one is due."""
    lease = lease_take_soon(purpose=NARROW_PURPOSE, seconds=LEASE_TIMEOUT_SECONDS, step_s=LEASE_STEP_S)
    if lease is None:
        return False
    client = client_from_settings(before_request=lease.before_request)
    client.assume_idle(lease.idle_ms)
    try:
        with correlated(new_correlation_id("stream")):
            run_narrow_cycle(client=client, lease=lease, clock=timezone.now, ended=ended)
    except (NeedsFullCycle, *EXPECTED_ERRORS):
        return False
    except Exception as error:
        if not database_sentence(error):
            logger.exception("Exchange sync: an unexpected error ended a narrow cycle")
        return False
    finally:
        client.close()
        lease.release()
    return True


def cycle_is_fresh(now: datetime) -> bool:
    """Whether a scheduled cycle began so recently that this one is a redelivered task."""
    recent = now - cycle_interval(now=now) / 2
    return SyncRun.objects.filter(started_at__gt=recent, trigger="schedule").exists()


def _cycle(client: Client, lease: Lease, run: SyncRun) -> tuple[list[str], bool]:
    try:
        switch_store_file(now=timezone.now())
        return run_cycle(client=client, lease=lease, run=run, clock=timezone.now), False
    except EXPECTED_ERRORS as error:
        return [_sentence_of(error)], True
    except Exception as error:
        if problem := database_sentence(error):
            return [Sentence(problem, SyncReason.DATABASE_FAILED, problem=problem)], True
        logger.exception("Exchange sync: an unexpected error ended the cycle")
        name = type(error).__name__
        text = f"An unexpected error ended the cycle: {name}. The log has the details."
        return [Sentence(text, SyncReason.CYCLE_FAILED, error=name)], True


def _sentence_of(error: Exception) -> str:
    return error.sentence() if isinstance(error, ExchangeError) else sentence_of(error)


def _is_cycle_at_work(holder: str) -> bool:
    # Without a holder the lease became free a moment after it was found taken.
    return bool(holder) and not holder.startswith(SHORT_PURPOSES) and not lease_is_silent()


def _log_end(run: SyncRun) -> None:
    # The command prints its errors itself, on the same console.
    errors = [] if run.trigger == COMMAND_TRIGGER else run.errors
    if run.status == SyncRun.Status.FAILED:
        logger.error("Exchange sync: exchange sync cycle failed%s", f": {' '.join(errors)}" if errors else "")
        return
    for error in errors:
        logger.warning("Exchange sync: %s", error)
    if run.status == SyncRun.Status.PARTIAL:
        count = len(run.errors)
        logger.warning(
            "Exchange sync: exchange sync cycle incomplete (errors: %d) in %d ms", count, run.duration_ms
        )
        return
    logger.info("Exchange sync: exchange sync cycle completed in %d ms", run.duration_ms)
