"""Names, icons and status pills. What has no label of ours is shown as the exchange sent it."""

from uuid import UUID

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchange.core.numbers import keep_together
from exchange.models import AuditEntry, ExchangeOrder
from exchange.selectors import OrderRow
from oco.engine.coverage import Unprotected
from oco.engine.pricing import ExitSide
from oco.engine.types import is_own_oid
from oco.models import OcoGroup
from oco.presentation.reasons import render_reason
from portfolio.formatting import (
    ACTION_LABELS,
    BUY_BACK_PILLS,
    BUY_BACK_ROLE_LABELS,
    COVERAGE_PILLS,
    GROUP_PILLS,
    GROUP_REASON_PILLS,
    LEG_PILLS,
    ORDER_PILLS,
    Pill,
    code_label,
    instrument_label,
)

register = template.Library()

SPRITE = "vendor/lucide/icons.svg"

register.filter("instrument", instrument_label)
register.filter("code_label", code_label)


@register.simple_tag
def sprite() -> str:
    """The address of the file with all icons (Lucide)."""
    return static(SPRITE)


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "shield" %}`: decoration only, so a text must accompany it."""
    html = '<svg class="ico" aria-hidden="true"><use href="{}#{}"></use></svg>'
    return format_html(html, static(SPRITE), name)


@register.filter
def why_text(row: Unprotected) -> str:
    """Why these coins have no stop."""
    return keep_together(render_reason(row.reason))


@register.filter
def reason_text(row: AuditEntry | OcoGroup) -> str:
    """Why the row is as it is, in the reader's language."""
    return keep_together(render_reason(row.stored_reason))


@register.filter("instrument_name")
def instrument_html(name: str) -> SafeString:
    """`BTC` strong and `/USD` quiet."""
    base, slash, quote = instrument_label(name).partition("/")
    return format_html("{}<span>{}{}</span>", base, slash, quote) if slash else format_html("{}", base)


@register.filter
def role_label(order: OrderRow) -> str:
    """What an order is for. A buy order of ours that is no entry belongs to a buy-back."""
    role = order.order_role or ""
    is_our_buy = order.origin == ExchangeOrder.Origin.OURS and order.side == "BUY"
    return (
        str(BUY_BACK_ROLE_LABELS[role]) if is_our_buy and role in BUY_BACK_ROLE_LABELS else code_label(role)
    )


@register.filter
def has_distinct_role(order: OrderRow) -> bool:
    """Whether the role adds something to the order type."""
    return bool(order.order_role) and role_label(order) != code_label(order.order_type)


@register.filter
def action_label(action: str) -> str:
    return str(ACTION_LABELS.get(action, action))


@register.filter
def group_short_id(group_id: UUID) -> str:
    return str(group_id)[:4].upper()


@register.simple_tag
def pill(css_class: str, icon_name: str, text: str, status: str = "") -> SafeString:
    """Icon and text. `css_class`: ok, warn, crit, info, wait or off."""
    html = '<span class="pill {}" data-status="{}">{}{}</span>'
    return format_html(html, css_class, status, icon(icon_name), text)


@register.simple_tag
def order_state(order: OrderRow) -> SafeString:
    return _render_pill(ORDER_PILLS, order.status)


@register.simple_tag
def cover_pill(coverage: str, exit_side: str = ExitSide.SELL) -> SafeString:
    """How well a position is protected, or the state of a buy-back."""
    return _render_pill(_pills_for(COVERAGE_PILLS, exit_side), coverage)


@register.simple_tag
def group_pill(shown_state: str, exit_side: str = ExitSide.SELL) -> SafeString:
    """Of a group or an event of one: pass `shown_state`, for the state alone does not say who caused it."""
    return _render_pill(_pills_for(GROUP_PILLS | GROUP_REASON_PILLS, exit_side), shown_state)


@register.simple_tag
def leg_pill(status: str) -> SafeString:
    return _render_pill(LEG_PILLS, status)


@register.filter
def needs_pill(order: OrderRow) -> bool:
    """Whether the status is worth showing in a list of open orders."""
    return order.status != "ACTIVE"


@register.filter
def is_unrecorded(order: OrderRow | ExchangeOrder) -> bool:
    """Whether it has a client_oid of ours that this database does not know: after a restore, or from a second desk."""
    return order.origin == ExchangeOrder.Origin.FOREIGN and is_own_oid(order.client_oid or "")


@register.filter
def is_filled(order: OrderRow) -> bool:
    return order.status == "FILLED"


@register.filter
def is_partial(order: OrderRow) -> bool:
    """Whether the ordered quantity is worth showing next to the filled quantity."""
    is_market_buy = (order.order_type, order.side, order.status) == ("MARKET", "BUY", "FILLED")
    return order.quantity is not None and not (is_market_buy and order.filled_quantity >= order.quantity)


def _pills_for(pills: dict[str, Pill], exit_side: str) -> dict[str, Pill]:
    return pills | BUY_BACK_PILLS if exit_side == ExitSide.BUY else pills


def _render_pill(pills: dict[str, Pill], status: str) -> SafeString:
    css_class, icon_name, text = pills.get(status, ("off", "circle-help", status))
    return pill(css_class, icon_name, str(text), status)
