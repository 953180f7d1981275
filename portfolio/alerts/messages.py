"""The content of messages: the trading mode first, then one alert or several, each with a link."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portfolio.alerts.channels import Message
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from portfolio.status.address import base_url
from portfolio.status.trading_mode import Mode, current_mode

Kind = Alert.Kind
TONES = {
    Kind.CLOSED: "warning",  # coins were sold: it must be noticed
    Kind.DAILY: "info",
    Kind.SWITCH: "info",
    Kind.WELL: "success",
    Kind.DRIFT: "warning",
    Kind.EXIT: "warning",
    Kind.RELEASED: "warning",
    Kind.MOVED: "warning",
}
TONE_PRIORITY = ("failure", "warning", "success", "info")
ALERT_PATHS = {Kind.DAILY: "/protection/", Kind.UNPROTECTED: "/protection/"}  # the others: the list of alerts


def build_message(alerts: Sequence[Alert]) -> Message:
    """One alert as it is, several as a digest, the oldest first; in the language of the settings."""
    with translation.override(settings.LANGUAGE_CODE):
        mode = current_mode()
        if len(alerts) == 1:
            title, body = alert_title(alerts[0]), _alert_body(alerts[0])
        else:
            title = ngettext("%(count)d alert", "%(count)d alerts", len(alerts)) % {"count": len(alerts)}
            body = "\n\n".join(f"• {alert_title(alert)}\n{_alert_body(alert)}" for alert in alerts)
        tone = min((TONES.get(Kind(alert.kind), "failure") for alert in alerts), key=TONE_PRIORITY.index)
        return Message(title=f"{mode.label} · {title}", text=f"{body}\n\n{_mode_text(mode)}", tone=tone)


def build_test_message() -> Message:
    """What `send_alerts --test` sends."""
    with translation.override(settings.LANGUAGE_CODE):
        mode = current_mode()
        text = _("This channel works: alerts from Exchange Desk arrive here.")
        return Message(
            title=f"{mode.label} · {_('Test alert')}", text=f"{text}\n{base_url()}/\n\n{_mode_text(mode)}"
        )


def alert_path(alert: Alert) -> str:
    """The path of the page about this alert."""
    if alert.oco_group_id is not None:
        return f"/protection/{alert.oco_group_id}/"
    return ALERT_PATHS.get(Kind(alert.kind), "/alerts/")


def _alert_body(alert: Alert) -> str:
    raised = f"{timezone.localtime(alert.raised_at):%Y-%m-%d %H:%M:%S %Z}"
    return f"{alert_text(alert)}\n{raised} · {base_url()}{alert_path(alert)}"


def _mode_text(mode: Mode) -> str:
    if settings.ENVIRONMENT == "DRY_RUN":
        return _("*** DRY RUN: nothing here is real. Account, orders and prices are simulated. ***")
    return f"{mode.label}: {mode.short}{mode.detail}."
