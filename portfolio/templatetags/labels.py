"""The exchange's capitals as words; what we have no word for is shown as sent.

Pictures from the sprite: Lucide, drawn in the colour of the text beside them.
"""

from uuid import UUID

from django import template
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from exchange.models import AuditEntry, ExchangeOrder
from exchange.selectors import OrderRow
from oco.engine.pricing import ExitSide
from oco.models import OcoGroup
from oco.presentation.reasons import render_reason
from oco.engine.client_oids import is_own_oid

register = template.Library()

SPRITE = "vendor/lucide/icons.svg"


@register.simple_tag
def sprite() -> str:
    """The address of all pictures."""
    return static(SPRITE)


@register.simple_tag
def icon(name: str) -> SafeString:
    """`{% icon "shield" %}`: decoration only, so the word stands beside it."""
    html = '<svg class="ico" aria-hidden="true"><use href="{}#{}"></use></svg>'
    return format_html(html, static(SPRITE), name)


@register.filter
def reason_text(row: AuditEntry | OcoGroup) -> str:
    """Why the row is as it is, in the reader's language."""
    return render_reason(row.stored_reason)


Pill = tuple[str, str, Promise]
"""Class, icon and word of a pill."""

ORDER_PILLS: dict[str, Pill] = {
    "ACTIVE": ("ok", "circle-check", _("Active")),
    "NEW": ("wait", "clock", _("Pending")),
    "PENDING": ("wait", "clock", _("Pending")),
    "FILLED": ("info", "circle-check", _("Filled")),
    "CANCELED": ("off", "x", _("Cancelled")),
    "EXPIRED": ("off", "clock", _("Expired")),
    "REJECTED": ("crit", "octagon-alert", _("Rejected")),
    "UNKNOWN": ("warn", "triangle-alert", _("Unknown, check")),
}
COVERAGE_PILLS: dict[str, Pill] = {
    "STOP_FAILED": ("crit", "octagon-alert", _("Stop failed")),
    "UNKNOWN": ("warn", "triangle-alert", _("Unknown, check")),
    "UNPROTECTED": ("warn", "shield-off", _("Unprotected")),
    "PARTLY": ("warn", "shield-half", _("Partial")),
    "WAITING": ("wait", "clock", _("Pending")),
    "PROTECTED": ("ok", "shield-check", _("Protected")),
}
GROUP_PILLS: dict[str, Pill] = {
    "PENDING": ("wait", "clock", _("Pending")),
    "ACTIVE": ("ok", "shield-check", _("Protected")),
    "REPLACING": ("wait", "refresh-cw", _("Replacing")),
    "EXITING": ("wait", "arrow-right", _("Selling at market")),
    "STOP_FAILED": ("crit", "octagon-alert", _("Stop failed")),
    "UNKNOWN": ("warn", "triangle-alert", _("Unknown, check")),
    "CLOSED_BY_STOP": ("info", "circle-check", _("Stop hit")),
    "CLOSED_BY_TARGET": ("info", "circle-check", _("Take profit hit")),
    "CLOSED_BY_EXIT": ("info", "circle-check", _("Sold at market")),
    "CLOSED_BY_HAND": ("off", "x", _("Closed manually")),
    "RELEASED": ("off", "x", _("Protection removed")),
}
BUY_BACK_PILLS: dict[str, Pill] = {
    "UNPROTECTED": ("warn", "triangle-alert", _("No buy-back order")),
    "PROTECTED": ("ok", "circle-check", _("Active")),
    "ACTIVE": ("ok", "circle-check", _("Active")),
    "EXITING": ("wait", "arrow-right", _("Buying at market")),
    "CLOSED_BY_EXIT": ("info", "circle-check", _("Bought at market")),
}
"""Where a group that buys back what was sold is called otherwise."""
LEG_PILLS: dict[str, Pill] = {
    "INTENT": ("wait", "clock", _("Not sent yet")),
    "SENT": ("wait", "clock", _("Pending")),
    "ACCEPTED": ("wait", "clock", _("Pending")),
    "OPEN": ("ok", "circle-check", _("Active")),
    "FILLED": ("info", "circle-check", _("Filled")),
    "CANCELED": ("off", "x", _("Cancelled")),
    "EXPIRED": ("off", "clock", _("Expired")),
    "REJECTED": ("crit", "octagon-alert", _("Rejected")),
    "REFUSED": ("crit", "octagon-alert", _("Rejected")),
    "ABSENT": ("off", "x", _("Not received")),
}
LABELS: dict[str, Promise] = {
    "BUY": pgettext_lazy("side", "Buy"),
    "SELL": pgettext_lazy("side", "Sell"),
    "LIMIT": _("Limit"),
    "MARKET": _("Market"),
    "STOP_LIMIT": _("Stop limit"),
    "STOP_LOSS": _("Stop loss"),
    "TAKE_PROFIT": _("Take profit"),
    "TAKE_PROFIT_LIMIT": _("Take profit limit"),
    "ENTRY": _("Entry"),
    "EXIT": _("Exit"),
    "OURS": _("Sent by Exchange Desk"),
    "FOREIGN": _("External order (manual or another app)"),
    "NATIVE": _("Linked by the exchange"),
    "PAIRED": _("Linked by Exchange Desk"),
}

BUY_BACK_ROLE_LABELS: dict[str, Promise] = {
    "STOP_LOSS": _("Buy-back stop"),
    "TAKE_PROFIT": _("Buy-back take profit"),
    "EXIT": _("Buy-back at market"),
}

UNTRIGGERED_STATUSES = ("NEW", "PENDING")  # what an untriggered order is called (dossier 6)
ACTION_LABELS = {"BUY": _("BUY"), "SELL": _("SELL"), "HOLD": _("HOLD")}


@register.filter("instrument")
def instrument_label(name: str) -> str:
    """`BTC/USD` for BTC_USD; a perpetual keeps its name."""
    return name.replace("_", "/")


@register.filter("inst")
def instrument_html(name: str) -> SafeString:
    """The same with the currency it is priced in set back: `BTC` strong, `/USD` quiet."""
    base, slash, quote = instrument_label(name).partition("/")
    return format_html("{}<span>{}{}</span>", base, slash, quote) if slash else format_html("{}", base)


@register.filter("words")
def code_label(capitals: str) -> str:
    """`Stop-limit` for STOP_LIMIT; capitals that we have no word for are set down as a sentence."""
    known = LABELS.get(capitals)
    return str(known) if known else capitals.replace("_", " ").capitalize()


@register.filter
def role_label(order: OrderRow) -> str:
    """What an order is for; a purchase of ours that guards nothing buys back."""
    role = order.order_role or ""
    is_ours = order.origin == ExchangeOrder.Origin.OURS and order.side == "BUY"
    return str(BUY_BACK_ROLE_LABELS[role]) if is_ours and role in BUY_BACK_ROLE_LABELS else code_label(role)


@register.filter
def has_distinct_role(order: OrderRow) -> bool:
    """Whether its role is not told by its type already."""
    return bool(order.order_role) and role_label(order) != code_label(order.order_type)


@register.filter
def action_label(action: str) -> str:
    """What a signal says, in capitals."""
    return str(ACTION_LABELS.get(action, action))


@register.filter
def group_short_id(group_id: UUID) -> str:
    """The beginning of its id, enough to tell one group from another."""
    return str(group_id)[:4].upper()


@register.simple_tag
def pill(css_class: str, icon_name: str, word: str, status: str = "") -> SafeString:
    """Icon and word, the colour last. `look`: ok, warn, crit, info, wait, off."""
    html = '<span class="pill {}" data-status="{}">{}{}</span>'
    return format_html(html, css_class, status, icon(icon_name), word)


@register.filter
def needs_pill(order: OrderRow) -> bool:
    """Whether its state is worth a word in a list of what is at work."""
    return _effective_status(order) != "ACTIVE"


@register.simple_tag
def order_state(order: OrderRow) -> SafeString:
    """The state of an order, by what it means; one that we have no word for is shown as sent."""
    css_class, icon_name, word = ORDER_PILLS.get(
        _effective_status(order), ("off", "circle-help", order.status)
    )
    return pill(css_class, icon_name, str(word), order.status)


@register.filter
def is_unrecorded(order: OrderRow | ExchangeOrder) -> bool:
    """Whether a desk named it and this record does not know why: as after a restore, or beside another desk."""
    return order.origin == ExchangeOrder.Origin.FOREIGN and is_own_oid(order.client_oid or "")


@register.filter
def is_filled(order: OrderRow) -> bool:
    return _effective_status(order) == "FILLED"


@register.filter
def is_partial(order: OrderRow) -> bool:
    """Whether the quantity that was asked for says more than what was filled."""
    estimated = _effective_status(order) == "FILLED" and order.status != "FILLED"
    return order.quantity is not None and not (estimated and order.filled_quantity >= order.quantity)


def _effective_status(order: OrderRow) -> str:
    """An untriggered stop that was read back is at work; a market buy for so much money that found its coins
    ends cancelled, and is filled (dossier 5.11.7).
    """
    if order.trigger_price is not None and order.status in UNTRIGGERED_STATUSES:
        return "ACTIVE"
    bought = (order.order_type, order.side, order.status) == ("MARKET", "BUY", "CANCELED")
    return "FILLED" if bought and order.filled_quantity else order.status


@register.simple_tag
def cover_pill(cover: str, exit_side: str = ExitSide.SELL) -> SafeString:
    """How well a position is covered, or what was sold is going to be bought back."""
    return _render_pill(_pills_for(COVERAGE_PILLS, exit_side), cover)


@register.simple_tag
def group_pill(state: str, exit_side: str = ExitSide.SELL) -> SafeString:
    """The state of a stop and its target."""
    return _render_pill(_pills_for(GROUP_PILLS, exit_side), state)


@register.simple_tag
def leg_pill(status: str) -> SafeString:
    """What is known of one order of ours."""
    return _render_pill(LEG_PILLS, status)


def _pills_for(pills: dict[str, Pill], exit_side: str) -> dict[str, Pill]:
    return pills | BUY_BACK_PILLS if exit_side == ExitSide.BUY else pills


def _render_pill(pills: dict[str, Pill], status: str) -> SafeString:
    css_class, icon_name, word = pills.get(status, ("off", "circle-help", status))
    return pill(css_class, icon_name, str(word), status)
