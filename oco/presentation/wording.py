"""What a banner calls things, for a group that guards coins and for one that buys them back (pure)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from oco.engine.pricing import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """`%(coin)s` is the currency. `…_title` stands above, the other one explains it."""

    failed_title: Promise
    failed: Promise
    target_left: Promise
    unknown: Promise
    exiting_title: Promise
    sent: Promise
    bare_title: Promise
    leaving_title: Promise
    leaving: Promise
    partly_title: Promise
    partly: Promise
    alone: Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyingWording(Wording):
    """What can only be said where something is bought."""

    too_dear_title: Promise
    too_dear: Promise


SELLS = Wording(
    failed_title=_("If %(coin)s falls, nothing will sell"),
    failed=_("It is tried again in every cycle until a stop rests, the coins are sold, or you step in."),
    target_left=_("The take-profit order holds %(quantity)s %(coin)s and is still working."),
    unknown=_(
        "Until the order is found, or proved absent, count these coins as unprotected. Look on the exchange."
    ),
    exiting_title=_("%(coin)s is being sold at the market"),
    sent=_("Until both orders have been read back, a fall may sell nothing."),
    bare_title=_("If %(coin)s falls now, nothing will sell"),
    leaving_title=_("%(name)s asked to take this protection away"),
    leaving=_(
        "Its orders are cancelled in the next cycle. The coins stay, and nothing will sell them in a fall."
    ),
    partly_title=_("%(quantity)s %(coin)s of this position have no stop"),
    partly=_("They are behind another order, or were not there when stop and target were placed."),
    alone=_("A fall sells. A rise to the target does not, until there is room for both."),
)
BUYS = BuyingWording(
    too_dear_title=_("%(coin)s costs more than this buy-back pays"),
    too_dear=_(
        "It pays %(ceiling)s at most for one, and the price is above that: nothing is bought until it comes back. "
        "Wait, take it away, or buy by hand."
    ),
    failed_title=_("If %(coin)s rises, nothing will buy it back"),
    failed=_(
        "It is tried again in every cycle until a stop rests, or you step in: its prices stay, so take it away, "
        "or buy by hand."
    ),
    target_left=_("The order at the target, which buys %(quantity)s %(coin)s, is still working."),
    unknown=_(
        "Until the order is found, or proved absent, do not count on it being bought back. Look on the exchange."
    ),
    exiting_title=_("%(coin)s is being bought back at the market"),
    sent=_("Until both orders have been read back, a rise may buy nothing back."),
    bare_title=_("If %(coin)s rises now, nothing will buy it back"),
    leaving_title=_("%(name)s asked to take this buy-back away"),
    leaving=_(
        "Its orders are cancelled in the next cycle. The money stays, and nothing will buy the coins back in a rise."
    ),
    partly_title=_("No order buys %(quantity)s %(coin)s of this sale back"),
    partly=_("Their money is behind another order, or was not there when stop and target were placed."),
    alone=_("A rise buys. A fall to the target does not, until there is room for both."),
)
WORDING: dict[Way, Wording] = {Way.SELLS: SELLS, Way.BUYS: BUYS}
