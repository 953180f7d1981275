"""What an order of ours does, and what a code of the exchange says, in words (pure)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.client.error_codes import CODES

KINDS = {
    ("SELL", "STOP_LOSS"): gettext_lazy("Sell at the market, when mark falls to the trigger"),
    ("SELL", "LIMIT"): gettext_lazy("Sell limit"),
    ("SELL", "MARKET"): gettext_lazy("Sell at the market"),
    ("BUY", "STOP_LIMIT"): gettext_lazy("Buy, for the limit at most, when mark rises to the trigger"),
    ("BUY", "LIMIT"): gettext_lazy("Buy limit"),
}
BUY_NOW = gettext_lazy("Buy at the market, for the limit at most")


def kind_words(side: str, order_type: str, role: str = "") -> str:
    """What an order of ours does; one that we have no words for is named as sent."""
    if (side, role) == ("BUY", "EXIT"):
        return str(BUY_NOW)
    return str(KINDS.get((side, order_type), f"{side} {order_type}"))


def code_words(code: int | None) -> str:
    """What the exchange's code says, with the code; nothing for none."""
    if code is None:
        return ""
    return _("The exchange's code %(code)s: %(meaning)s") % {"code": code, "meaning": _meaning(code)}


def refused_words(code: int | None) -> str:
    """The same as the sentence that a person is told when a stop was turned away."""
    if code is None:
        return ""
    return _("The exchange refused the stop: %(meaning)s (%(code)s).") % {
        "code": code,
        "meaning": _meaning(code),
    }


def _meaning(code: int) -> str:
    known = CODES.get(code)
    return _(known.meaning) if known else _("a code that is not in the exchange's list")
