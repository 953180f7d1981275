"""What is wrong with a group, and what that means for the money, in words (pure).

What a banner calls things, for a group that guards coins and for one that buys them back (pure).
"""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from oco.engine.pricing import ExitSide
from oco.engine.states import State, is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerTexts:
    """`%(coin)s` is the currency. `…_title` stands above, the other one explains it."""

    failed_title: Promise
    failed: Promise
    target_left: Promise
    unknown: Promise
    exiting_title: Promise
    sent: Promise
    unprotected_title: Promise
    release_title: Promise
    release: Promise
    partly_unprotected_title: Promise
    partly_unprotected: Promise
    stop_only: Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyBackBannerTexts(BannerTexts):
    """What can only be said where something is bought."""

    above_limit_title: Promise
    above_limit: Promise


SELL = BannerTexts(
    failed_title=_("If %(coin)s falls, nothing will sell"),
    failed=_("It is tried again in every cycle until a stop rests, the coins are sold, or you step in."),
    target_left=_("The take-profit order holds %(quantity)s %(coin)s and is still working."),
    unknown=_(
        "Until the order is found, or proved absent, count these coins as unprotected. Look on the exchange."
    ),
    exiting_title=_("%(coin)s is being sold at the market"),
    sent=_("Until both orders have been read back, a fall may sell nothing."),
    unprotected_title=_("If %(coin)s falls now, nothing will sell"),
    release_title=_("%(name)s asked to take this protection away"),
    release=_(
        "Its orders are cancelled in the next cycle. The coins stay, and nothing will sell them in a fall."
    ),
    partly_unprotected_title=_("%(quantity)s %(coin)s of this position have no stop"),
    partly_unprotected=_(
        "They are behind another order, or were not there when stop and target were placed."
    ),
    stop_only=_("A fall sells. A rise to the target does not, until there is room for both."),
)
BUY = BuyBackBannerTexts(
    above_limit_title=_("%(coin)s costs more than this buy-back pays"),
    above_limit=_(
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
    unprotected_title=_("If %(coin)s rises now, nothing will buy it back"),
    release_title=_("%(name)s asked to take this buy-back away"),
    release=_(
        "Its orders are cancelled in the next cycle. The money stays, and nothing will buy the coins back in a rise."
    ),
    partly_unprotected_title=_("No order buys %(quantity)s %(coin)s of this sale back"),
    partly_unprotected=_(
        "Their money is behind another order, or was not there when stop and target were placed."
    ),
    stop_only=_("A rise buys. A fall to the target does not, until there is room for both."),
)
BANNER_TEXTS: dict[ExitSide, BannerTexts] = {ExitSide.SELL: SELL, ExitSide.BUY: BUY}


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerInput:
    """What the words depend on. `lacking` is what has no stop although the group is active, in coins.

    `resting_target` is the quantity of a take-profit that works without its stop.
    """

    state: State
    currency: str
    reason: str
    unprotected: Decimal
    is_sent: bool
    exit_side: ExitSide = ExitSide.SELL
    refusal: str = ""
    resting_target: Decimal | None = None
    has_target: bool = True
    wants_target: bool = True
    release_requested_by: str = ""
    price_limit: str = ""  # what a buy-back pays at most, where the price is above that

    @property
    def texts(self) -> BannerTexts:
        return BANNER_TEXTS[self.exit_side]

    def fill(self, words: Promise, **values: str) -> str:
        return str(words) % {"coin": self.currency, **values}


@dataclass(frozen=True, slots=True)
class Banner:
    """`look`: crit, warn, info or ok."""

    tone: str
    icon: str
    title: str
    lines: tuple[str, ...]


def banner_of(inputs: BannerInput) -> Banner | None:
    """None when all is as it should be."""
    if is_final(inputs.state):
        return None
    if inputs.release_requested_by:
        return _release_requested(inputs)
    if inputs.state is State.ACTIVE:
        return _above_limit(inputs) or _partly_unprotected(inputs) or _stop_only(inputs)
    return {
        State.STOP_FAILED: _failed,
        State.UNKNOWN: _unknown,
        State.EXITING: _exiting,
    }.get(inputs.state, _unprotected)(inputs)


def _failed(inputs: BannerInput) -> Banner:
    words, lines = inputs.texts, [inputs.refusal or inputs.reason, str(inputs.texts.failed)]
    if inputs.resting_target is not None:
        lines.append(inputs.fill(words.target_left, quantity=f"{inputs.resting_target:f}"))
    return Banner("crit", "octagon-alert", inputs.fill(words.failed_title), _non_empty(lines))


def _unknown(inputs: BannerInput) -> Banner:
    lines = [inputs.reason, str(inputs.texts.unknown)]
    return Banner(
        "warn", "triangle-alert", gettext("It is not known whether the stop exists"), _non_empty(lines)
    )


def _exiting(inputs: BannerInput) -> Banner:
    title = inputs.fill(inputs.texts.exiting_title)
    return Banner("warn", "clock", title, _non_empty([inputs.reason]))


def _unprotected(inputs: BannerInput) -> Banner:
    if inputs.is_sent:
        lines = [inputs.reason, str(inputs.texts.sent)]
        return Banner("warn", "clock", gettext("The stop is on its way"), _non_empty(lines))
    again = gettext("The worker tries again in the next cycle.")
    lines = (
        [inputs.reason, again]
        if inputs.reason
        else [gettext("The worker places its orders in the next cycle.")]
    )
    return Banner("warn", "shield-off", inputs.fill(inputs.texts.unprotected_title), _non_empty(lines))


def _release_requested(inputs: BannerInput) -> Banner:
    title = inputs.fill(inputs.texts.release_title, name=inputs.release_requested_by)
    return Banner("warn", "shield-off", title, (str(inputs.texts.release),))


def _above_limit(inputs: BannerInput) -> Banner | None:
    """The stop may have fired: it is a limit order then, and rests below the market."""
    if not inputs.price_limit:
        return None
    title = inputs.fill(BUY.above_limit_title)
    return Banner("crit", "octagon-alert", title, (inputs.fill(BUY.above_limit, ceiling=inputs.price_limit),))


def _partly_unprotected(inputs: BannerInput) -> Banner | None:
    if not inputs.unprotected:
        return None
    title = inputs.fill(inputs.texts.partly_unprotected_title, quantity=f"{inputs.unprotected:f}")
    return Banner("warn", "shield-half", title, (str(inputs.texts.partly_unprotected),))


def _stop_only(inputs: BannerInput) -> Banner | None:
    if inputs.has_target or not inputs.wants_target:
        return None
    lines = [inputs.reason, str(inputs.texts.stop_only)]
    return Banner("info", "info", gettext("The stop stands alone: no target rests"), _non_empty(lines))


def _non_empty(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
