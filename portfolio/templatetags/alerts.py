"""Alerts in templates: where one leads, and how its delivery looks."""

from django import template

from portfolio.alerts.messages import page_of
from portfolio.models import Alert

register = template.Library()

State = Alert.State
DELIVERY = {
    State.DUE: ("wait", "clock"),
    State.SENDING: ("wait", "clock"),
    State.SENT: ("ok", "circle-check"),
    State.FAILED: ("crit", "triangle-alert"),
    State.DESK: ("off", "layout-dashboard"),
}


@register.filter
def alert_page(alert: Alert) -> str:
    return page_of(alert)


@register.filter
def delivery_look(alert: Alert) -> str:
    return DELIVERY[State(alert.state)][0]


@register.filter
def delivery_icon(alert: Alert) -> str:
    return DELIVERY[State(alert.state)][1]
