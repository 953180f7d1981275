"""`{% live "name" %}…{% endlive %}`: a part of a page that is replaced when it changes.

Alerts in templates: where one leads, and how its delivery looks.

Results in templates: looked up by currency or order, and in words where they are not known.

Signals as people read them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from portfolio.accounting.pnl import UnknownReason
from portfolio.alerts.messages import alert_path
from portfolio.models import Alert
from portfolio.signals.selectors import INPUT_NAMES, TIMEFRAME_NAMES
from portfolio.templatetags.formatting import amount, amount_text, data
from portfolio.web.live import Panel

register = template.Library()


class LiveNode(template.Node):
    """Its panel goes into the page, and to `live_answer` when an open page asks what is new."""

    def __init__(self, name: FilterExpression, inner: NodeList) -> None:
        self.name, self.nodelist = name, inner

    def render(self, context: Context) -> SafeString:
        html = self.nodelist.render(context).strip()
        panel = Panel(name=str(self.name.resolve(context)), html=html)
        collected = getattr(context.get("request"), "live_panels", None)
        if collected is not None:
            collected.append(panel)
        return mark_safe(panel.to_html())  # noqa: S308  # made of what the template has escaped


@register.tag("live")
def live(parser: Parser, token: Token) -> LiveNode:
    """One panel: no form in it, for a token differs each time. Ages go into `<time>`, which does not count."""
    _, name = token.split_contents()
    inner = parser.parse(("endlive",))
    parser.delete_first_token()
    return LiveNode(parser.compile_filter(name), inner)


State = Alert.State
DELIVERY = {
    State.DUE: ("wait", "clock"),
    State.SENDING: ("wait", "clock"),
    State.SENT: ("ok", "circle-check"),
    State.FAILED: ("crit", "triangle-alert"),
    State.DESK: ("off", "layout-dashboard"),
}


@register.filter
def alert_url_path(alert: Alert) -> str:
    return alert_path(alert)


@register.filter
def delivery_css_class(alert: Alert) -> str:
    return DELIVERY[State(alert.state)][0]


@register.filter
def delivery_icon(alert: Alert) -> str:
    return DELIVERY[State(alert.state)][1]


WHY_WORDS: dict[str, Promise] = {
    UnknownReason.BEHIND: _("The recorded fills are still being processed."),
    UnknownReason.UNEXPLAINED: _(
        "The balance exceeds the recorded buys: the rest arrived another way, or earlier."
    ),
    UnknownReason.NO_DOLLARS: _("Not all of it was paid for in US dollars."),
    UnknownReason.UNPRICED: _("No price in US dollars."),
}


@register.filter
def lookup(results: Mapping[Any, Any], key: object) -> Any:
    """The entry of `key`, or None."""
    return results.get(key)


@register.filter
def same_decimals_as(value: Decimal | None, other: Decimal | None) -> SafeString:
    """A price with as many decimals as another one of the same thing."""
    exponent = other.as_tuple().exponent if other is not None else None
    return amount(value, max(0, -exponent) if isinstance(exponent, int) else None)


@register.filter
def unknown_reason_text(unknown_reason: str | None) -> Promise | str:
    """A sentence for why a result is not known; nothing when it is."""
    return WHY_WORDS[unknown_reason] if unknown_reason else ""


@register.filter
def timeframe_label(timeframe: str) -> str:
    """`4 h` for 4h."""
    return str(TIMEFRAME_NAMES[timeframe])


@register.filter
def input_label(name: str) -> str:
    """What an indicator is called."""
    return str(INPUT_NAMES.get(name, name))


@register.filter
def input_value(text: str) -> SafeString:
    """With the digits it was stored with: an indicator of a coin of a millionth has many."""
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    return data(value, amount_text(value, max(0, -exponent) if isinstance(exponent, int) else 0))
