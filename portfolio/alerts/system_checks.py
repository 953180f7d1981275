"""Is the desk itself well? Sync, clock and key, read from the record of the cycles.

Each look answers with a `Trouble`, with the words that it is well, or with None where the record does not tell:
a cycle that never reached the exchange says nothing about the key.

A sign of life to somewhere else (HEARTBEAT_URL), so that the silence of the whole machine is noticed there.

The address is a secret: it is in no log line and in no error.
"""

import logging
import re
from datetime import datetime, timedelta

import requests
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.client.diagnostics import MAX_CLOCK_OFFSET_MS
from exchange.client.error_codes import CODES, ActionClass
from exchange.client.transport import DeadlineAdapter
from exchange.models import SyncRun, TradingSwitch
from exchange.selectors import sync_last_success
from portfolio.alerts.conditions import Incident, incident_open, incident_resolve
from portfolio.models import Alert

Kind = Alert.Kind
CheckResult = Incident | str | None

FAILED_CYCLES = 3
NONCE_CODE = 40102  # the clock, not the key
AUTH_CODES = frozenset(code for code, info in CODES.items() if info.action is ActionClass.AUTH) - {NONCE_CODE}
CODE_PATTERN = re.compile(r"\[(\d+)\]")
SWITCH_LOOKBACK = timedelta(days=1)


def check_system(*, now: datetime) -> None:
    """Look at everything and begin or end its alert; called by a worker, so that a worker is alive."""
    results = {"sync": _check_sync(now), "key": _check_key(), "clock": _check_clock()}
    results["worker"] = _("The worker is running again.")
    for condition, seen in results.items():
        if isinstance(seen, Incident):
            incident_open(incident=seen, now=now)
        elif seen is not None:
            incident_resolve(condition=condition, text=seen, now=now)
    _report_switch(now)


def _check_sync(now: datetime) -> CheckResult:
    """Failing when the last three cycles were not complete and none was for three intervals."""
    runs = list(_finished_runs()[:FAILED_CYCLES])
    if runs and runs[0].status == SyncRun.Status.OK:
        return _("The last cycle was complete.")
    success, max_age = sync_last_success(), timedelta(seconds=FAILED_CYCLES * settings.SYNC_INTERVAL_SECONDS)
    is_old = success is None or now - success > max_age
    if not is_old or len(runs) < FAILED_CYCLES or any(run.status == SyncRun.Status.OK for run in runs):
        return None
    last = _("never") if success is None else f"{timezone.localtime(success):%Y-%m-%d %H:%M:%S %Z}"
    text = _(
        "No complete cycle in %(count)d intervals; last one: %(last)s. Open orders stay on "
        "the exchange; nothing new is protected until sync works again. Error: %(error)s"
    )
    error = " ".join(map(str, runs[0].errors)) or str(runs[0])
    return Incident(
        condition="sync",
        kind=Kind.SYNC,
        title=_("Sync with the exchange failing"),
        text=text % {"count": FAILED_CYCLES, "last": last, "error": error},
    )


def _check_key() -> CheckResult:
    """The newest cycle tells: refused, or answered."""
    run = _finished_runs().first()
    if run is None:
        return None
    refusals = [str(words) for words in run.errors if _is_auth_error(str(words))]
    if not refusals:
        is_answered = run.status != SyncRun.Status.FAILED
        return _("The exchange accepts the API key.") if is_answered else None
    text = _(
        "This key cannot read or protect anything. Run `manage.py check_connection` for details. %(error)s"
    )
    return Incident(
        condition="key",
        kind=Kind.KEY,
        title=_("The exchange rejects the API key"),
        text=text % {"error": refusals[0]},
    )


def _is_auth_error(words: str) -> bool:
    return any(int(code) in AUTH_CODES for code in CODE_PATTERN.findall(words))


def _check_clock() -> CheckResult:
    run = _finished_runs().first()
    if run is None or run.clock_offset_ms is None:
        return None
    seconds = f"{run.clock_offset_ms / 1000:+.1f}"
    if abs(run.clock_offset_ms) <= MAX_CLOCK_OFFSET_MS:
        return _("Clock difference with the exchange: %(seconds)s s.") % {"seconds": seconds}
    text = _(
        "Clock difference with the exchange: %(seconds)s s. Set this machine's clock (NTP): "
        "at 60 s the exchange rejects every request, and nothing can be protected."
    )
    return Incident(
        condition="clock",
        kind=Kind.CLOCK,
        title=_("This machine's clock is out of sync"),
        text=text % {"seconds": seconds},
    )


def _report_switch(now: datetime) -> None:
    """Each turn of the kill switch is told once; the second of a pair is its own “well again”."""
    switch = TradingSwitch.objects.filter(changed_at__gt=now - SWITCH_LOOKBACK).first()
    if switch is None:
        return
    words = {"name": switch.changed_by, "reason": switch.reason or "–"}
    if switch.is_off:
        title = _("Trading was switched off")
        text = _(
            "%(name)s turned trading off: no new orders are created. Open orders stay open. "
            "Reason: %(reason)s"
        )
    else:
        title = _("Trading was switched on")
        text = _("%(name)s turned trading on: new orders are created again. Reason: %(reason)s")
    Alert.objects.get_or_create(
        dedupe_key=f"switch {switch.changed_at.isoformat()}",
        defaults={
            "kind": Kind.SWITCH,
            "title": title,
            "text": text % words,
            "raised_at": now,
            "ended_at": now,
        },
    )


def _finished_runs() -> QuerySet[SyncRun]:
    return SyncRun.objects.exclude(status=SyncRun.Status.RUNNING).order_by("-started_at", "-id")


logger = logging.getLogger("alerts")

HEARTBEAT_TIMEOUT_SECONDS = 5.0


def heartbeat_ping() -> bool:
    """GET the address, if there is one; whether it answered well. Raises nothing for the network."""
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
