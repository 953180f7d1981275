"""Who notices that the worker is silent? The web process: a thread of it looks, and sends what the worker cannot.

A second worker would notice as well, by its own round. If the whole machine is gone, HEARTBEAT_URL tells elsewhere.
"""

import logging
import time
from datetime import datetime, timedelta
from threading import Thread

from django.db import Error, close_old_connections, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.selectors import worker_last_beat
from portfolio.alerts.conditions import Incident, incident_open
from portfolio.alerts.delivery import alert_deliver_all
from portfolio.models import Alert

logger = logging.getLogger("alerts")

CHECK_INTERVAL_SECONDS = 60
SILENT_AFTER = timedelta(minutes=3)  # a restart takes less


def watchdog_start() -> Thread:
    """Look every minute for as long as the process lives."""
    thread = Thread(target=_watchdog_loop, name="watchman", daemon=True)
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
            logger.exception("Alerts: the web process cannot look whether the worker lives; trying again")
        finally:
            connection.close()


def watchdog_check(*, now: datetime, since: datetime) -> bool:
    """Whether the worker is silent, counted at most from `since`, when we began to look: what was silent before
    we were there may just be starting too. The worker itself says that it is well again.
    """
    last_beat = worker_last_beat()
    if last_beat is None or now - max(last_beat, since) < SILENT_AFTER:
        return False
    text = _(
        "No heartbeat since %(since)s. Nothing is read, and no stop is placed or replaced "
        "until it is back; stops open on the exchange stay there. Start the worker and check "
        "its log."
    )
    incident = Incident(
        condition="worker",
        kind=Alert.Kind.WORKER,
        title=_("The worker is not responding"),
        text=text % {"since": f"{timezone.localtime(last_beat):%Y-%m-%d %H:%M:%S %Z}"},
    )
    incident_open(incident=incident, now=now)
    alert_deliver_all(clock=timezone.now)
    return True
