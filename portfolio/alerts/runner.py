"""One round of alerts: look, make the daily one if it is due, send. Every minute, and right after urgent news."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from portfolio.alerts.conditions import Incident, incident_open, incident_resolve
from portfolio.alerts.consistency_checks import check_missing_fills
from portfolio.alerts.daily_report import daily_alert_raise
from portfolio.alerts.delivery import DeliveryCounts, alert_deliver_all
from portfolio.alerts.position_checks import check_above_limit, check_groups
from portfolio.alerts.system_checks import check_system
from portfolio.models import Alert

logger = logging.getLogger("alerts")

CHECKS: dict[str, Callable[..., Any]] = {
    "desk": check_system,
    "groups": check_groups,  # once more than each cycle does: one that hangs raises nothing itself
    "prices": check_above_limit,
    "books": check_missing_fills,
    "daily": daily_alert_raise,
}


def run_alert_checks() -> DeliveryCounts:
    """What a worker does, outside of any cycle: a slow mail server delays nothing but mail. A look that fails
    stops neither the others nor the mail, and is an alert itself.
    """
    for name, check in CHECKS.items():
        _run_check(name, check, timezone.now())
    return alert_deliver_all(clock=timezone.now)


def _run_check(name: str, check: Callable[..., Any], now: datetime) -> None:
    condition = f"watch {name}"
    try:
        check(now=now)
    except Exception as error:
        logger.exception("Alerts: the look “%s” failed; the others go on", name)
        text = _(
            "This check failed, so its alerts are not being raised: %(name)s (%(error)s). "
            "See the worker log for details."
        )
        incident = Incident(
            condition=condition,
            kind=Alert.Kind.WATCH,
            title=_("A monitoring check is failing"),
            text=text % {"name": name, "error": type(error).__name__},
        )
        incident_open(incident=incident, now=now)
    else:
        incident_resolve(condition=condition, text=_("The check is working again."), now=now)
