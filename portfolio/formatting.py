"""Numbers, ages, names and statuses as text, for pages, alerts and CSV alike.

`portfolio.templatetags` registers these for templates and adds the HTML around them.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from exchange.core.numbers import number_format, number_text, rounded
from exchange.labels import ORDER_STATUS_LABELS
from oco.engine.states import ON_HOLD, REMOVAL_REQUESTED
from oco.labels import BUY_BACK_LABELS, REASON_LABELS, STATE_LABELS

UNKNOWN = "n/a"
MAX_DECIMALS = 8
CENT = Decimal("0.01")
AGE_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

Pill = tuple[str, str, Promise]
"""CSS class, icon and text of a status pill."""

ORDER_PILLS: dict[str, Pill] = {
    "ACTIVE": ("ok", "circle-check", ORDER_STATUS_LABELS["ACTIVE"]),
    "NEW": ("wait", "clock", ORDER_STATUS_LABELS["NEW"]),
    "PENDING": ("wait", "clock", ORDER_STATUS_LABELS["PENDING"]),
    "FILLED": ("info", "circle-check", ORDER_STATUS_LABELS["FILLED"]),
    "CANCELED": ("off", "x", ORDER_STATUS_LABELS["CANCELED"]),
    "EXPIRED": ("off", "clock", ORDER_STATUS_LABELS["EXPIRED"]),
    "REJECTED": ("crit", "octagon-alert", ORDER_STATUS_LABELS["REJECTED"]),
    "UNKNOWN": ("warn", "triangle-alert", ORDER_STATUS_LABELS["UNKNOWN"]),
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
    "PENDING": ("wait", "clock", STATE_LABELS["PENDING"]),
    "ACTIVE": ("ok", "shield-check", STATE_LABELS["ACTIVE"]),
    "REPLACING": ("wait", "refresh-cw", STATE_LABELS["REPLACING"]),
    "EXITING": ("wait", "arrow-right", STATE_LABELS["EXITING"]),
    "STOP_FAILED": ("crit", "octagon-alert", STATE_LABELS["STOP_FAILED"]),
    "UNKNOWN": ("warn", "triangle-alert", STATE_LABELS["UNKNOWN"]),
    "CLOSED_BY_STOP": ("info", "circle-check", STATE_LABELS["CLOSED_BY_STOP"]),
    "CLOSED_BY_TARGET": ("info", "circle-check", STATE_LABELS["CLOSED_BY_TARGET"]),
    "CLOSED_BY_EXIT": ("info", "circle-check", STATE_LABELS["CLOSED_BY_EXIT"]),
    "CLOSED_BY_HAND": ("off", "x", STATE_LABELS["CLOSED_BY_HAND"]),
    "RELEASED": ("off", "x", STATE_LABELS["RELEASED"]),
}
GROUP_REASON_PILLS: dict[str, Pill] = {
    REMOVAL_REQUESTED: ("wait", "x", REASON_LABELS[REMOVAL_REQUESTED]),
    ON_HOLD: ("warn", "power", REASON_LABELS[ON_HOLD]),
}
"""What a group is shown as when its reason says more than its state; no state to filter by."""
BUY_BACK_PILLS: dict[str, Pill] = {
    "UNPROTECTED": ("warn", "triangle-alert", _("No buy-back order")),
    "PROTECTED": ("ok", "circle-check", _("Active")),
    "ACTIVE": ("ok", "circle-check", BUY_BACK_LABELS["ACTIVE"]),
    "EXITING": ("wait", "arrow-right", BUY_BACK_LABELS["EXITING"]),
    "CLOSED_BY_EXIT": ("info", "circle-check", BUY_BACK_LABELS["CLOSED_BY_EXIT"]),
}
"""Replaces entries of the tables above for a group that buys back what was sold."""
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
ACTION_LABELS = {"BUY": _("BUY"), "SELL": _("SELL"), "HOLD": _("HOLD")}


def usd_text(value: Decimal | None, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """`$1,234.56`, in Spanish `$1.234,56`; less than a cent is `<$0.01`, never zero."""
    if value is None or not value.is_finite():
        return UNKNOWN
    sign, size = "−" if value < 0 else "", abs(value)
    shown = rounded(size, 2, rounding)
    return f"{sign}<${number_text(CENT)}" if size and not shown else f"{sign}${number_text(shown)}"


def amount_text(
    value: Decimal | None, decimals: int | None = None, *, rounding: str = ROUND_HALF_EVEN
) -> str:
    """A price or quantity with `decimals`, else with its own, at most eight.

    What would round to zero is not rounded.
    """
    if value is None or not value.is_finite():
        return UNKNOWN
    return _grouped(value, _own_decimals(value) if decimals is None else decimals, rounding=rounding)


def percent_text(value: Decimal | None, decimals: int = 2) -> str:
    """`42.90%`; what would round to zero is `<0.01%`."""
    if value is None or not value.is_finite():
        return UNKNOWN
    step = Decimal(1).scaleb(-decimals)
    if value and not rounded(value, decimals):
        return f"{'−' if value < 0 else ''}<{number_text(step)}%"
    return f"{_grouped(value, decimals)}%"


def split_decimals(text: str) -> tuple[str, str]:
    """A number as written, without its decimals, and these with their sign."""
    whole, sign, decimals = text.rpartition(number_format().decimal)
    return (whole, sign + decimals) if sign else (text, "")


def signed(text: str, value: Decimal | None) -> str:
    """Adds the plus of a positive value; a minus is in `text` already."""
    return f"+{text}" if value is not None and value > 0 else text


def age(seconds: int | None) -> str:
    """`23 s`, `4 min`, `2 h`, `3 d`: the largest unit that is not zero."""
    if seconds is None:
        return UNKNOWN
    size, unit = next((step for step in AGE_UNITS if seconds >= step[0]), AGE_UNITS[-1])
    return f"{seconds // size} {unit}"


def instrument_label(name: str) -> str:
    """`BTC/USD` for BTC_USD; a perpetual keeps its name."""
    return name.replace("_", "/")


def code_label(code: str) -> str:
    """`Stop limit` for STOP_LIMIT; an unknown code is shown with a capital and spaces."""
    label = LABELS.get(code)
    return str(label) if label else code.replace("_", " ").capitalize()


def own_decimals(value: Decimal | None) -> int | None:
    """How many decimals `value` is written with, None where there is nothing to count."""
    exponent = None if value is None else value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None


def _grouped(value: Decimal, decimals: int, *, rounding: str = ROUND_HALF_EVEN) -> str:
    shown = rounded(value, decimals, rounding)
    return number_text(value if value and not shown else shown)


def _own_decimals(value: Decimal) -> int:
    return min(MAX_DECIMALS, own_decimals(value) or 0)
