"""One run of the alert checks: every check, then delivery. Every minute, and right after an urgent event."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from exchange.core.reasons import reason
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
