"""Notices a worker that is not responding: a thread of the web process checks its heartbeat and reports it.

A second worker would notice as well. If the whole machine is gone, HEARTBEAT_URL makes that noticed elsewhere.
"""

import logging
import time
from datetime import datetime, timedelta
from threading import Thread

from django.db import Error, close_old_connections, connection
from django.utils import timezone

from exchange.core.reasons import reason
from exchange.selectors import worker_last_beat
from portfolio.alerts.delivery import alert_deliver_all
from portfolio.alerts.incidents import Incident, incident_open
from portfolio.models import Alert

logger = logging.getLogger("alerts")

CHECK_INTERVAL_SECONDS = 60
SILENT_AFTER = timedelta(minutes=3)  # a restart takes less


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
