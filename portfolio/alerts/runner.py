"""One round of alerts: look, make the daily one if it is due, send. Every minute, and right after urgent news."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from portfolio.alerts.conditions import Trouble, trouble_begin, trouble_end
from portfolio.alerts.consistency_checks import books_note_all
from portfolio.alerts.daily_report import daily_raise
from portfolio.alerts.delivery import Delivered, alert_deliver_all
from portfolio.alerts.position_checks import dear_note_all, groups_note_all
from portfolio.alerts.system_checks import desk_note_all
from portfolio.models import Alert

logger = logging.getLogger("alerts")

LOOKS: dict[str, Callable[..., Any]] = {
    "desk": desk_note_all,
    "groups": groups_note_all,  # once more than each cycle does: one that hangs raises nothing itself
    "prices": dear_note_all,
    "books": books_note_all,
    "daily": daily_raise,
}


def alert_round() -> Delivered:
    """What a worker does, outside of any cycle: a slow mail server delays nothing but mail. A look that fails
    stops neither the others nor the mail, and is an alert itself.
    """
    for name, look in LOOKS.items():
        _take(name, look, timezone.now())
    return alert_deliver_all(clock=timezone.now)


def _take(name: str, look: Callable[..., Any], now: datetime) -> None:
    condition = f"watch {name}"
    try:
        look(now=now)
    except Exception as error:
        logger.exception("Alerts: the look “%s” failed; the others go on", name)
        text = _(
            "What this look would tell is not told now: %(name)s (%(error)s). The log of the worker has the details."
        )
        trouble = Trouble(
            condition=condition,
            kind=Alert.Kind.WATCH,
            title=_("A part of the watch fails"),
            text=text % {"name": name, "error": type(error).__name__},
        )
        trouble_begin(trouble=trouble, now=now)
    else:
        trouble_end(condition=condition, text=_("The look works again."), now=now)
