"""Checks of the installation from the records of its cycles: sync, API key, clock and kill switch; the heartbeat.

A check returns the incident, the reason that it is over, or None where the records do not show either: a cycle that
never reached the exchange proves nothing about the key.
"""

import logging
from datetime import datetime, timedelta

import requests
from django.conf import settings

from exchange.client.clock import MAX_CLOCK_OFFSET_MS
from exchange.client.error_codes import KEY_CODES
from exchange.client.errors import NONCE_CODE
from exchange.client.transport import DeadlineAdapter
from exchange.core.reasons import Reason, reason
from exchange.models import StreamRecord, SyncRun, TradingSwitch, UnreadableRow
from exchange.selectors import key_refused_code, last_write_since, runs_finished, sync_last_success
from exchange.services.order_execution import Outcome
from exchange.services.stream_records import DEAF_INTERVAL_S
from exchange.stream.listener import StreamStatus
from oco.engine.states import UNPROTECTED
from oco.selectors import groups_open
from portfolio.alerts.incidents import Incident, alert_raise, incident_open, incident_resolve
from portfolio.models import Alert

logger = logging.getLogger("alerts")

Kind = Alert.Kind
CheckResult = Incident | Reason | None

FAILED_CYCLES = 3
FAILING, INCOMPLETE = "sync", "sync incomplete"  # keys of the incidents
TRADING = "trading"  # key of the incident
PROVES_RIGHTS = (Outcome.ACCEPTED, Outcome.EXISTS, Outcome.REFUSED, Outcome.TOO_LATE)
STREAM_DOWN_AFTER = timedelta(minutes=3)
SWITCH_LOOKBACK = timedelta(days=1)
HEARTBEAT_TIMEOUT_SECONDS = 5.0


def check_system(*, now: datetime) -> None:
    """Open or resolve what each check found. A worker runs this, so a worker is running."""
    results: dict[str, CheckResult] = {
        **_check_sync(now),
        "key": _check_key(),
        TRADING: _check_trading(),
        "clock": _check_clock(),
        "rows": _check_rows(),
        "stream": _check_stream(now),
        "worker": reason("WORKER_RUNS"),
    }
    for key, result in results.items():
        if isinstance(result, Incident):
            incident_open(incident=result, now=now)
        elif result is not None:
            incident_resolve(key=key, reason=result, now=now)
    _report_switch(now)


def heartbeat_ping() -> bool:
    """GET HEARTBEAT_URL, if it is set; whether the answer was good. Raises nothing for the network.

    The address is a secret: it is in no log line and in no error.
    """
    if not settings.HEARTBEAT_URL:
        return False
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, DeadlineAdapter(HEARTBEAT_TIMEOUT_SECONDS))
        try:
            response = session.get(
                str(settings.HEARTBEAT_URL),
                timeout=(HEARTBEAT_TIMEOUT_SECONDS, HEARTBEAT_TIMEOUT_SECONDS),
                stream=True,
            )
            status = response.status_code
            response.close()
        except requests.RequestException as error:
            logger.warning("Alerts: the heartbeat address did not answer (%s)", type(error).__name__)
            return False
    if status >= requests.codes.bad_request:
        logger.warning("Alerts: the heartbeat address answered %d", status)
    return bool(status < requests.codes.bad_request)


def _check_sync(now: datetime) -> dict[str, CheckResult]:
    """Failing when the last three cycles were not complete and none was for three intervals; only incomplete while
    none of them failed: what protection needs may have been read.
    """
    runs = list(runs_finished()[:FAILED_CYCLES])
    if runs and runs[0].status == SyncRun.Status.OK:
        return dict.fromkeys((FAILING, INCOMPLETE), reason("SYNC_WORKS"))
    success, max_age = sync_last_success(), timedelta(seconds=FAILED_CYCLES * settings.SYNC_INTERVAL_SECONDS)
    is_old = success is None or now - success > max_age
    if not is_old or len(runs) < FAILED_CYCLES or any(run.status == SyncRun.Status.OK for run in runs):
        return {}
    has_failed = any(run.status == SyncRun.Status.FAILED for run in runs)
    key = FAILING if has_failed else INCOMPLETE
    newest = runs[0]
    error = {"texts": newest.errors or [str(newest)], "reasons": newest.error_reasons}
    failing = reason(
        "SYNC_FAILING" if has_failed else "SYNC_INCOMPLETE",
        count=FAILED_CYCLES,
        last_success=success,
        error=error,
    )
    return {key: Incident(key=key, kind=Kind.SYNC, reason=failing)}


def _check_key() -> CheckResult:
    """By the newest cycle: rejected, or accepted because there was an answer."""
    run = runs_finished().first()
    if run is None:
        return None
    codes = [code for code in run.error_codes if code in KEY_CODES]
    if codes and run.status != SyncRun.Status.OK and key_refused_code(run) is None:
        return Incident(key="key", kind=Kind.KEY, reason=reason("KEY_REJECTED", exchange_code=codes[0]))
    return None if run.status == SyncRun.Status.FAILED else reason("KEY_ACCEPTED")


def _check_trading() -> CheckResult:
    """By the orders of the newest cycle: a key that reads may still lack the right to trade.

    It is over when an order was answered otherwise, or none waits to be sent.
    """
    run = runs_finished().first()
    code = None if run is None else key_refused_code(run)
    if code is not None:
        return Incident(key=TRADING, kind=Kind.KEY, reason=reason("KEY_MAY_NOT_TRADE", exchange_code=code))
    is_open = Alert.objects.filter(condition=TRADING, ended_at=None).exists()
    if run is None or not is_open or run.status == SyncRun.Status.FAILED:
        return None
    write = last_write_since(run.started_at)
    is_proved = write is not None and write.result in PROVES_RIGHTS
    is_waiting = groups_open().filter(state__in=UNPROTECTED).exists()
    return reason("KEY_MAY_TRADE") if is_proved or not is_waiting else None


def _check_clock() -> CheckResult:
    run = runs_finished().first()
    if run is None or run.clock_offset_ms is None:
        return None
    if abs(run.clock_offset_ms) <= MAX_CLOCK_OFFSET_MS:
        if NONCE_CODE in run.error_codes:  # the exchange itself says otherwise
            refused = reason("CLOCK_REFUSED", clock_offset=run.clock_offset_ms)
            return Incident(key="clock", kind=Kind.CLOCK, reason=refused)
        return reason("CLOCK_RIGHT", clock_offset=run.clock_offset_ms)
    wrong = reason("CLOCK_WRONG", clock_offset=run.clock_offset_ms)
    return Incident(key="clock", kind=Kind.CLOCK, reason=wrong)


def _check_rows() -> CheckResult:
    """By the newest cycle: it read rows that cannot be believed, or it was complete without any."""
    run = runs_finished().first()
    if run is None:
        return None
    found = UnreadableRow.objects.filter(last_seen_at__gte=run.started_at)
    newest = found.first()
    if newest is None:
        return reason("ROWS_BELIEVED") if run.status == SyncRun.Status.OK else None
    doubtful = reason(
        "ROWS_NOT_BELIEVED",
        count=found.count(),
        method=newest.method,
        row=newest.row_id or "–",
        problem=newest.stored_reason.stored if newest.stored_reason else newest.problem,
    )
    return Incident(key="rows", kind=Kind.SYNC, reason=doubtful)


def _check_stream(now: datetime) -> CheckResult:
    """By what its listener last wrote. Protection goes on without it, later."""
    record = StreamRecord.objects.first()
    if record is None or not settings.STREAM_ENABLED:
        return None
    if record.status == StreamStatus.LIVE:
        return reason("STREAM_LIVE")
    if record.status != StreamStatus.DOWN or now - record.since <= STREAM_DOWN_AFTER:
        return None
    error = {"texts": [record.error], "reasons": [record.error_reason]} if record.error else None
    down = reason("STREAM_DOWN", since=record.since, interval=DEAF_INTERVAL_S, error=error or "–")
    return Incident(key="stream", kind=Kind.SYNC, reason=down)


def _report_switch(now: datetime) -> None:
    """Each turn of the kill switch is an event: that it is on again needs no "Resolved"."""
    switch = TradingSwitch.objects.filter(changed_at__gt=now - SWITCH_LOOKBACK).first()
    if switch is not None:
        alert_raise(
            kind=Kind.SWITCH,
            dedupe_key=f"switch {switch.changed_at.isoformat()}",
            reason=reason(
                "TRADING_OFF" if switch.is_off else "TRADING_ON",
                name=switch.changed_by,
                note=switch.reason or "–",
            ),
            now=now,
            caused_by=switch.changed_by,
        )
