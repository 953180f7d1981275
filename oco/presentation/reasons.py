"""What the record says, in the language of whoever reads it (pure).

Why a group is as it is, is written down once and in English, by the process that found it out. A page tells each
sentence that is listed here anew; any other is told as it was written.

What an order of ours does, and what a code of the exchange says, in words (pure).
"""

import re

from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_noop as _

from exchange.client.error_codes import CODES

SENTENCE_GAP = re.compile(r"(?<=\.) +")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
SENTENCES = (
    # wishes of people, and what became of them
    _("Asked for by %(name)s."),
    _("%(name)s asked to take the protection away."),
    _("%(name)s asked to take the buy-back away."),
    _("%(name)s set the stop %(stop)s and the target %(target)s."),
    _("%(name)s set the stop %(stop)s and no target."),
    _("Released by %(name)s."),
    _("Merged with the other lots of its entry."),
    _("The orders were cancelled."),
    _("The orders were cancelled by hand on the exchange."),
    # what was sent, and seen
    _("%(quantity)s %(coin)s came in at %(price)s."),
    _("%(coin)s was sold at %(price)s: what that brought buys %(quantity)s back."),
    _("Stop %(stop)s and target %(target)s for %(quantity)s is placed."),
    _("A stop alone at %(stop)s for %(quantity)s is placed."),
    _("A sale at the market for %(quantity)s is placed."),
    _("A purchase at the market for %(quantity)s is placed."),
    _("A cancel is sent."),
    _("Accepted, but not read back open yet."),
    _("Stop and target were read back open."),
    _("The stop was read back open."),
    _("It stands alone."),
    # why nothing is placed, or something else
    _("No order protects it."),
    _("No order buys it back."),
    _("No target is wanted."),
    _("The exchange refused the pair: the stop goes alone."),
    _("Nobody can find its stop: it is sent again under its name."),
    _("Refused."),
    _("It is tried again in the next cycle."),
    _("Tried again in the next cycle."),
    _("No price could be read."),
    _("Not everything was read, so nothing is cancelled."),
    _("Not everything that is needed to place an order was read."),
    _("The balance does not show all the coins yet."),
    _("The balance does not show all the money yet."),
    _("At its stop %(quantity)s is worth less than the exchange takes."),
    _("At this price the lot is worth too little for an order."),
    _("Only %(quantity)s may be sold: the rest is locked by another order."),
    _("Only %(quantity)s may be sold: too little for an order."),
    _("Only %(quantity)s may be bought: the rest is locked by another order."),
    _("Only %(quantity)s may be bought: too little for an order."),
    _("%(quantity)s at %(stop)s is below what the exchange takes."),
    _("The stop %(stop)s is less than %(distance)s %% from mark %(mark)s, too near for a pair."),
    _("The target %(target)s is more than ten times mark %(mark)s."),
    _("The target %(target)s is passed: %(shown)s is the first price above."),
    _("The target %(target)s is less than a tenth of mark %(mark)s."),
    _("The target %(target)s is passed: %(shown)s is the first price below."),
    _("Trading is switched off in the settings (TRADING_ENABLED=false)."),
    _("The kill switch is on, set by %(name)s."),
    _("The kill switch cannot be read, so it counts as on."),
    _(
        "You held this before the desk started, or told it not to protect it: it is touched only when you ask."
    ),
    _("Locked by your order, which is no stop."),
    _("The worker places its orders in the next cycle."),
    _("The rest has one."),
    _("This part is behind another order, or was not there when the orders were placed."),
    # mark beyond the stop
    _("Mark %(mark)s is at or below the stop %(stop)s."),
    _("Mark %(mark)s is at or above the stop %(stop)s."),
    _("Mark is beyond the stop."),
    _("Mark is beyond the stop, and by the policy nothing is sold."),
    _("Mark is beyond the stop, and was out of our sight for too long: nothing is sold."),
    _("Mark is beyond the stop, but mark and best bid do not agree in two looks."),
    _("Mark and best bid are beyond the stop."),
    _("Mark is beyond the stop, and by the policy nothing is bought."),
    _("Mark is beyond the stop, and was out of our sight for too long: nothing is bought."),
    _("Mark is beyond the stop, but mark and best ask do not agree in two looks."),
    _("Mark and best ask are beyond the stop."),
    # changes of what rests
    _("The target sold %(sold)s of %(quantity)s and is near: it works one more cycle."),
    _("The target sold %(sold)s of %(quantity)s."),
    _("The target bought %(bought)s of %(quantity)s and is near: it works one more cycle."),
    _("The target bought %(bought)s of %(quantity)s."),
    _("The rest is too little for a stop: it works on."),
    _("It is cancelled to protect the rest again."),
    _("%(resting)s is covered, %(owed)s may be sold: it is replaced."),
    _("%(resting)s is covered, %(owed)s may be sold."),
    _("%(resting)s is covered, %(owed)s may be bought: it is replaced."),
    _("%(resting)s is covered, %(owed)s may be bought."),
    _("The target was cancelled."),
    _("The target was cancelled: the pair is replaced."),
    _("The stop stands."),
    _("The stop is gone."),
    _("The stop is gone: the target is cancelled to place both again."),
    _("It is not known whether the stop loss and the take profit order exists."),
    _("It is not known whether the %(role)s order exists."),
    _("An order came to light behind this ended group."),
    _("An earlier order came to light."),
    _("%(quantity)s %(coin)s left the account otherwise; the lot owns %(owned)s now."),
    _("The money for %(quantity)s %(coin)s left the account otherwise; it buys %(owned)s back now."),
    _("This group could not be looked after: %(error)s."),
    _("The log has the details."),
    # the end
    _("Nothing is bought above %(price)s."),
    _("The stop is selling."),
    _("The stop sold %(sold)s of %(quantity)s and ended %(end)s."),
    _("The sale at the market has not ended yet."),
    _("The stop sold the lot."),
    _("The target sold the lot."),
    _("The lot was sold at the market."),
    _("The lot is sold; what still rests is cancelled."),
    _("The coins left the account otherwise."),
    _("The stop is buying."),
    _("The stop bought %(bought)s of %(quantity)s and ended %(end)s."),
    _("The purchase at the market has not ended yet."),
    _("The stop bought the lot."),
    _("The target bought the lot."),
    _("The lot was bought at the market."),
    _("The lot is bought; what still rests is cancelled."),
    _("The money left the account otherwise."),
    _("%(rest)s stays: too little for an order."),
)


def translate_reason(record: str) -> str:
    """Each sentence of it in the language that is active now."""
    return " ".join(_sentence(text) for text in SENTENCE_GAP.split(record))


def _sentence(text: str) -> str:
    if text in SENTENCES:
        return gettext(text)
    for shape, words in PATTERNS:
        if found := shape.fullmatch(text):
            return gettext(words) % found.groupdict()
    return text


def _pattern(words: str) -> re.Pattern[str]:
    """`Released by %(name)s.` as what finds the name."""
    names = PLACEHOLDER.findall(words)
    pattern = re.escape(words % {name: f"<{name}>" for name in names})
    for name in names:
        pattern = pattern.replace(f"<{name}>", f"(?P<{name}>.+?)")
    return re.compile(pattern)


PATTERNS = tuple((_pattern(words), words) for words in SENTENCES if PLACEHOLDER.search(words))


ORDER_TEXTS = {
    ("SELL", "STOP_LOSS"): gettext_lazy("Sell at the market, when mark falls to the trigger"),
    ("SELL", "LIMIT"): gettext_lazy("Sell limit"),
    ("SELL", "MARKET"): gettext_lazy("Sell at the market"),
    ("BUY", "STOP_LIMIT"): gettext_lazy("Buy, for the limit at most, when mark rises to the trigger"),
    ("BUY", "LIMIT"): gettext_lazy("Buy limit"),
}
BUY_NOW = gettext_lazy("Buy at the market, for the limit at most")


def order_text(side: str, order_type: str, role: str = "") -> str:
    """What an order of ours does; one that we have no words for is named as sent."""
    if (side, role) == ("BUY", "EXIT"):
        return str(BUY_NOW)
    return str(ORDER_TEXTS.get((side, order_type), f"{side} {order_type}"))


def code_text(code: int | None) -> str:
    """What the exchange's code says, with the code; nothing for none."""
    if code is None:
        return ""
    return gettext("The exchange's code %(code)s: %(meaning)s") % {"code": code, "meaning": _meaning(code)}


def refusal_text(code: int | None) -> str:
    """The same as the sentence that a person is told when a stop was turned away."""
    if code is None:
        return ""
    return gettext("The exchange refused the stop: %(meaning)s (%(code)s).") % {
        "code": code,
        "meaning": _meaning(code),
    }


def _meaning(code: int) -> str:
    known = CODES.get(code)
    return gettext(known.meaning) if known else gettext("a code that is not in the exchange's list")
