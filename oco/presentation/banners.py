"""What is wrong with a group, and what that means for the money, in words (pure).

What a banner calls things, for a group that guards coins and for one that buys them back (pure).
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oco.engine.pricing import Way
from oco.engine.states import State, is_final


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plight:
    """What the words depend on. `lacking` is what has no stop although the group is active, in coins.

    `resting_target` is the quantity of a take-profit that works without its stop.
    """

    state: State
    currency: str
    reason: str
    lacking: Decimal
    is_sent: bool
    way: Way = Way.SELLS
    refusal: str = ""
    resting_target: Decimal | None = None
    has_target: bool = True
    wants_target: bool = True
    leaving_by: str = ""
    dearest: str = ""  # what a buy-back pays at most, where the price is above that

    @property
    def wording(self) -> Wording:
        return WORDING[self.way]

    def told(self, words: Promise, **values: str) -> str:
        return str(words) % {"coin": self.currency, **values}


@dataclass(frozen=True, slots=True)
class Banner:
    """`look`: crit, warn, info or ok."""

    look: str
    icon: str
    title: str
    lines: tuple[str, ...]


def banner_of(plight: Plight) -> Banner | None:
    """None when all is as it should be."""
    if is_final(plight.state):
        return None
    if plight.leaving_by:
        return _leaving(plight)
    if plight.state is State.ACTIVE:
        return _out_of_reach(plight) or _partly(plight) or _alone(plight)
    return {
        State.STOP_FAILED: _failed,
        State.UNKNOWN: _unknown,
        State.EXITING: _selling,
    }.get(plight.state, _bare)(plight)


def _failed(plight: Plight) -> Banner:
    words, lines = plight.wording, [plight.refusal or plight.reason, str(plight.wording.failed)]
    if plight.resting_target is not None:
        lines.append(plight.told(words.target_left, quantity=f"{plight.resting_target:f}"))
    return Banner("crit", "octagon-alert", plight.told(words.failed_title), _told(lines))


def _unknown(plight: Plight) -> Banner:
    lines = [plight.reason, str(plight.wording.unknown)]
    return Banner("warn", "triangle-alert", gettext("It is not known whether the stop exists"), _told(lines))


def _selling(plight: Plight) -> Banner:
    title = plight.told(plight.wording.exiting_title)
    return Banner("warn", "clock", title, _told([plight.reason]))


def _bare(plight: Plight) -> Banner:
    if plight.is_sent:
        lines = [plight.reason, str(plight.wording.sent)]
        return Banner("warn", "clock", gettext("The stop is on its way"), _told(lines))
    again = gettext("The worker tries again in the next cycle.")
    lines = (
        [plight.reason, again]
        if plight.reason
        else [gettext("The worker places its orders in the next cycle.")]
    )
    return Banner("warn", "shield-off", plight.told(plight.wording.bare_title), _told(lines))


def _leaving(plight: Plight) -> Banner:
    title = plight.told(plight.wording.leaving_title, name=plight.leaving_by)
    return Banner("warn", "shield-off", title, (str(plight.wording.leaving),))


def _out_of_reach(plight: Plight) -> Banner | None:
    """The stop may have fired: it is a limit order then, and rests below the market."""
    if not plight.dearest:
        return None
    title = plight.told(BUYS.too_dear_title)
    return Banner("crit", "octagon-alert", title, (plight.told(BUYS.too_dear, ceiling=plight.dearest),))


def _partly(plight: Plight) -> Banner | None:
    if not plight.lacking:
        return None
    title = plight.told(plight.wording.partly_title, quantity=f"{plight.lacking:f}")
    return Banner("warn", "shield-half", title, (str(plight.wording.partly),))


def _alone(plight: Plight) -> Banner | None:
    if plight.has_target or not plight.wants_target:
        return None
    lines = [plight.reason, str(plight.wording.alone)]
    return Banner("info", "info", gettext("The stop stands alone: no target rests"), _told(lines))


def _told(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
