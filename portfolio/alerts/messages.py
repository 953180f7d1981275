"""What a message says: the mode first, the alert or several, and where to look."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.alerts.channels import Message
from portfolio.models import Alert
from portfolio.status.trading_mode import Mode, current_mode
from portfolio.worker.processes import page_url

Kind = Alert.Kind
TONES = {
    Kind.CLOSED: "warning",  # coins were sold: it must not go under
    Kind.DAILY: "info",
    Kind.SWITCH: "info",
    Kind.WELL: "success",
    Kind.DRIFT: "warning",
    Kind.EXIT: "warning",
    Kind.RELEASED: "warning",
}
TONE_PRIORITY = ("failure", "warning", "success", "info")
ALERT_PATHS = {Kind.DAILY: "/protection/", Kind.UNPROTECTED: "/protection/"}  # the others lead to the alerts


def build_message(alerts: Sequence[Alert]) -> Message:
    """One alert as it is, several as a digest, the oldest first."""
    mode = current_mode()
    if len(alerts) == 1:
        title, body = alerts[0].title, _alert_text(alerts[0])
    else:
        title = ngettext("%(count)d alert", "%(count)d alerts", len(alerts)) % {"count": len(alerts)}
        body = "\n\n".join(f"• {alert.title}\n{_alert_text(alert)}" for alert in alerts)
    tone = min((TONES.get(Kind(alert.kind), "failure") for alert in alerts), key=TONE_PRIORITY.index)
    return Message(title=f"{mode.label} · {title}", text=f"{body}\n\n{_mode_text(mode)}", tone=tone)


def build_test_message() -> Message:
    """What `send_alerts --test` sends."""
    mode = current_mode()
    title = _("Test alert")
    text = _("This channel works: alerts from Exchange Desk arrive here.")
    return Message(title=f"{mode.label} · {title}", text=f"{text}\n{desk_url()}/\n\n{_mode_text(mode)}")


def desk_url() -> str:
    """Where the person reaches the desk, without a slash at the end."""
    return settings.DESK_URL or page_url().rstrip("/")


def alert_path(alert: Alert) -> str:
    """The path of the page that shows what the alert is about."""
    if alert.oco_group_id is not None:
        return f"/protection/{alert.oco_group_id}/"
    return ALERT_PATHS.get(Kind(alert.kind), "/alerts/")


def _alert_text(alert: Alert) -> str:
    raised = f"{timezone.localtime(alert.raised_at):%Y-%m-%d %H:%M:%S %Z}"
    return f"{alert.text}\n{raised} · {desk_url()}{alert_path(alert)}"


def _mode_text(mode: Mode) -> str:
    """Said loudly where it is not real, and plainly where it is."""
    if settings.ENVIRONMENT == "DRY_RUN":
        return _("*** DRY RUN: nothing here is real. Account, orders and prices are simulated. ***")
    return f"{mode.label}: {mode.short}{mode.detail}."
