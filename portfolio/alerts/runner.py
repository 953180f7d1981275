"""Runs the alert checks: every check, then delivery, in a worker each minute and right after an urgent event. In the
web process a watchdog notices a worker that is not responding.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

from django.db import Error, close_old_connections, connection
from django.utils import timezone

from exchange.core.reasons import reason
from exchange.selectors import worker_last_beat
from portfolio.alerts.accounting_checks import check_missing_fills
from portfolio.alerts.daily_report import daily_alert_raise
from portfolio.alerts.delivery import DeliveryCounts, alert_deliver_all
from portfolio.alerts.incidents import Incident, incident_open, incident_resolve
from portfolio.alerts.position_checks import check_above_limit, check_groups
from portfolio.alerts.system_checks import check_system
from portfolio.models import Alert

logger = logging.getLogger("alerts")

CHECKS: dict[str, Callable[..., Any]] = {  # the names are stored with incidents; `texts` has their labels
    "desk": check_system,
    "groups": check_groups,  # each cycle runs it too, but a cycle that hangs raises nothing
    "prices": check_above_limit,
    "books": check_missing_fills,
    "daily": daily_alert_raise,
}
CHECK_INTERVAL_SECONDS = 60
SILENT_AFTER = timedelta(minutes=3)  # a restart takes less


# In the worker


def run_alert_checks() -> DeliveryCounts:
    """Run by a worker outside any cycle, so that a slow mail server delays only mail.

    A check that fails stops neither the others nor delivery; it opens an incident.
    """
    for name, check in CHECKS.items():
        _run_check(name, check, timezone.now())
    return alert_deliver_all(clock=timezone.now)


def _run_check(name: str, check: Callable[..., Any], now: datetime) -> None:
    key = f"watch {name}"
    try:
        check(now=now)
    except Exception as error:
        logger.exception("Alerts: the check “%s” failed; the others continue", name)
        failing = reason("CHECK_FAILING", check=name, error=type(error).__name__)
        incident_open(incident=Incident(key=key, kind=Alert.Kind.WATCH, reason=failing), now=now)
    else:
        incident_resolve(key=key, reason=reason("CHECK_WORKS"), now=now)


# In the web process: a thread checks the heartbeat of the worker and reports it.
#
# A second worker would notice as well. If the whole machine is gone, HEARTBEAT_URL makes that noticed elsewhere.


def watchdog_start() -> Thread:
    """Check every minute for as long as the process lives."""
    thread = Thread(target=_watchdog_loop, name="watchdog", daemon=True)
    thread.start()
    return thread


def _watchdog_loop() -> None:
    since = timezone.now()
    while True:
        time.sleep(CHECK_INTERVAL_SECONDS)
        try:
            close_old_connections()
            watchdog_check(now=timezone.now(), since=since)
        except Error:
            logger.exception("Alerts: the web process cannot check whether the worker is running; retrying")
        finally:
            connection.close()


def watchdog_check(*, now: datetime, since: datetime) -> bool:
    """Report a worker without a heartbeat, and send the alert from here; whether there is none.

    Silence counts from `since` at the earliest, when this process began to check: the worker may be starting too.
    The worker resolves the incident itself, in `check_system`.
    """
    last_beat = worker_last_beat()
    if last_beat is None or now - max(last_beat, since) < SILENT_AFTER:
        return False
    incident = Incident(key="worker", kind=Alert.Kind.WORKER, reason=reason("WORKER_SILENT", since=last_beat))
    incident_open(incident=incident, now=now)
    alert_deliver_all(clock=timezone.now)
    return True
