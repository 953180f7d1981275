"""Tags for single parts of a page: live panels, delivery of alerts, missing P&L figures, inputs of signals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portfolio.accounting.pnl import UnknownReason
from portfolio.alerts.delivery import alert_path
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.formatting import amount_text, instrument_label, own_decimals
from portfolio.models import Alert
from portfolio.signals.selectors import INPUT_NAMES, TIMEFRAME_NAMES
from portfolio.templatetags.formatting import data, renew_ages
from portfolio.web.live import KeptPanels, Panel

register = template.Library()

State = Alert.State
DELIVERY_PILLS = {
    State.DUE: ("wait", "clock"),
    State.SENDING: ("wait", "clock"),
    State.SENT: ("ok", "circle-check"),
    State.FAILED: ("crit", "triangle-alert"),
    State.DESK: ("off", "layout-dashboard"),
}
UNKNOWN_REASON_TEXTS: dict[str, Promise] = {
    UnknownReason.BEHIND: _("The recorded fills are still being processed."),
    UnknownReason.UNEXPLAINED: _(
        "The balance exceeds the recorded buys: the rest arrived another way, or earlier."
    ),
    UnknownReason.NO_RATE: _("The price in US dollars at the time of the purchase is not known."),
    UnknownReason.UNPRICED: _("No price in US dollars."),
}

register.filter("alert_url_path", alert_path)
register.filter("alert_title", alert_title)
register.filter("alert_text", alert_text)


class LiveNode(template.Node):
    """Renders its panel, or takes a kept one, and hands it to `live_response` when an open page asks for changes."""

    def __init__(self, name: FilterExpression, inner: NodeList) -> None:
        self.name, self.nodelist = name, inner

    def render(self, context: Context) -> SafeString:
        panel, collected = self._panel(context), getattr(context.get("request"), "live_panels", None)
        if collected is not None:
            collected.append(panel)
        return mark_safe(panel.to_html())  # noqa: S308  # the template has escaped its values

    def _panel(self, context: Context) -> Panel:
        name = str(self.name.resolve(context))
        kept: KeptPanels | None = getattr(context.get("request"), "kept_panels", None)
        known = kept.panels.get(name) if kept else None
        if kept and known:
            return known.with_ages(renew_ages(known.html, now=kept.now))
        panel = Panel(name=name, html=self.nodelist.render(context).strip())
        if kept and name in kept.names:
            kept.panels[name] = panel
        return panel


@register.tag("live")
def live(parser: Parser, token: Token) -> LiveNode:
    """`{% live "name" %}…{% endlive %}`: a part of a page that is replaced when it changes.

    It may hold no form, because the CSRF token differs in every response. Ages go into `<time>`, which is ignored.
    """
    _, name = token.split_contents()
    inner = parser.parse(("endlive",))
    parser.delete_first_token()
    return LiveNode(parser.compile_filter(name), inner)


@register.filter
def alert_headline(alert: Alert) -> str:
    """The title in the reader's language, also of an alert that an earlier version stored as a text in another one."""
    if alert.reason_code or get_language() == settings.LANGUAGE_CODE:
        return alert_title(alert)
    return f"{instrument_label(alert.instrument_name)}: {alert.get_kind_display()}".removeprefix(": ")


@register.filter
def delivery_css_class(alert: Alert) -> str:
    return DELIVERY_PILLS[State(alert.state)][0]


@register.filter
def delivery_icon(alert: Alert) -> str:
    return DELIVERY_PILLS[State(alert.state)][1]


@register.filter
def lookup(values: Mapping[Any, Any], key: object) -> Any:
    """The entry of `key`, or None."""
    return values.get(key)


@register.filter
def unknown_reason_text(unknown_reason: str | None) -> Promise | str:
    """Why a P&L figure is missing; empty when it is there."""
    return UNKNOWN_REASON_TEXTS[unknown_reason] if unknown_reason else ""


@register.filter
def timeframe_label(timeframe: str) -> str:
    """`4 h` for 4h."""
    return str(TIMEFRAME_NAMES[timeframe])


@register.filter
def input_label(name: str) -> str:
    """The name of an indicator."""
    return str(INPUT_NAMES.get(name, name))


@register.filter
def input_value(text: str) -> SafeString:
    """With all stored decimals: an indicator of a coin worth a millionth has many."""
    value = Decimal(text)
    return data(value, amount_text(value, own_decimals(value) or 0))
