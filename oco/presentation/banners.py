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
    failed_title=_("If %(coin)s falls, no stop will sell it"),
    failed=_("Retried in every cycle until a stop is open, the coins are sold, or you step in."),
    target_left=_("The take-profit order reserves %(quantity)s %(coin)s and is still active."),
    unknown=_(
        "Until the order is found or confirmed missing, treat these coins as unprotected. "
        "Check on the exchange."
    ),
    exiting_title=_("%(coin)s is being sold at market"),
    sent=_("Until both orders are confirmed open on the exchange, a price drop may not trigger a sale."),
    unprotected_title=_("If %(coin)s falls now, no stop will sell it"),
    release_title=_("%(name)s requested removal of this protection"),
    release=_(
        "Its orders are cancelled in the next cycle. You keep the coins, and no stop will "
        "sell them if the price falls."
    ),
    partly_unprotected_title=_("%(quantity)s %(coin)s of this position have no stop"),
    partly_unprotected=_(
        "They are reserved by another order, or were not in the account when the stop and "
        "take profit were placed."
    ),
    stop_only=_(
        "If the price falls, the stop sells. The take profit is not placed until the "
        "market allows both orders."
    ),
)
BUY = BuyBackBannerTexts(
    above_limit_title=_("%(coin)s is above this buy-back's price limit"),
    above_limit=_(
        "The buy-back pays at most %(ceiling)s per coin and the price is higher: nothing is "
        "bought until it drops. Wait, remove the buy-back, or buy manually."
    ),
    failed_title=_("If %(coin)s rises, no order will buy it back"),
    failed=_(
        "Retried in every cycle until a stop is open or you step in. Its prices cannot "
        "change: remove it, or buy manually."
    ),
    target_left=_("The take-profit order that buys %(quantity)s %(coin)s is still active."),
    unknown=_(
        "Until the order is found or confirmed missing, do not count on the buy-back. Check on the exchange."
    ),
    exiting_title=_("%(coin)s is being bought back at market"),
    sent=_("Until both orders are confirmed open on the exchange, a price rise may not trigger a buy-back."),
    unprotected_title=_("If %(coin)s rises now, no order will buy it back"),
    release_title=_("%(name)s requested removal of this buy-back"),
    release=_(
        "Its orders are cancelled in the next cycle. You keep the cash, and no order will "
        "buy the coins back if the price rises."
    ),
    partly_unprotected_title=_("No order buys back %(quantity)s %(coin)s of this sale"),
    partly_unprotected=_(
        "Their funds are reserved by another order, or were not in the account when the stop "
        "and take profit were placed."
    ),
    stop_only=_(
        "If the price rises, the stop buys. The take profit is not placed until the "
        "market allows both orders."
    ),
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
        "warn", "triangle-alert", gettext("It is unknown whether the stop exists"), _non_empty(lines)
    )


def _exiting(inputs: BannerInput) -> Banner:
    title = inputs.fill(inputs.texts.exiting_title)
    return Banner("warn", "clock", title, _non_empty([inputs.reason]))


def _unprotected(inputs: BannerInput) -> Banner:
    if inputs.is_sent:
        lines = [inputs.reason, str(inputs.texts.sent)]
        return Banner("warn", "clock", gettext("Placing the stop"), _non_empty(lines))
    again = gettext("The worker retries in the next cycle.")
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
    return Banner("info", "info", gettext("Stop only: no take profit is open"), _non_empty(lines))


def _non_empty(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
