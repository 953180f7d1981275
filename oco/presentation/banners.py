"""Texts for the problem of a group and its effect on the money (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.core.numbers import number_text
from oco.engine.pricing import ExitSide
from oco.engine.states import State, is_final

SELL, BUY = ExitSide.SELL, ExitSide.BUY

# By the side of the group's orders: SELL protects coins, BUY buys them back. `%(coin)s` is the currency.
ABOVE_LIMIT_TITLE = _("%(coin)s is above this buy-back's price limit")
ABOVE_LIMIT = _(
    "The buy-back pays at most %(ceiling)s per coin and the price is higher: nothing is "
    "bought until it drops. Wait, remove the buy-back, or buy manually."
)
FAILED_TITLE = {
    SELL: _("If %(coin)s falls, no stop will sell it"),
    BUY: _("If %(coin)s rises, no order will buy it back"),
}
FAILED = {
    SELL: _("Retried in every cycle until a stop is open, the coins are sold, or you step in."),
    BUY: _(
        "Retried in every cycle until a stop is open or you step in. Its prices cannot "
        "change: remove it, or buy manually."
    ),
}
TARGET_LEFT = {
    SELL: _("The take-profit order reserves %(quantity)s %(coin)s and is still active."),
    BUY: _("The take-profit order that buys %(quantity)s %(coin)s is still active."),
}
UNKNOWN = {
    SELL: _(
        "Until the order is found or confirmed missing, treat these coins as unprotected. "
        "Check on the exchange."
    ),
    BUY: _(
        "Until the order is found or confirmed missing, do not count on the buy-back. Check on the exchange."
    ),
}
EXITING_TITLE = {
    SELL: _("%(coin)s is being sold at market"),
    BUY: _("%(coin)s is being bought back at market"),
}
SENT = {
    SELL: _("Until both orders are confirmed open on the exchange, a price drop may not trigger a sale."),
    BUY: _("Until both orders are confirmed open on the exchange, a price rise may not trigger a buy-back."),
}
UNPROTECTED_TITLE = {
    SELL: _("If %(coin)s falls now, no stop will sell it"),
    BUY: _("If %(coin)s rises now, no order will buy it back"),
}
RELEASE_TITLE = {
    SELL: _("%(name)s requested removal of this protection"),
    BUY: _("%(name)s requested removal of this buy-back"),
}
RELEASE = {
    SELL: _(
        "Its orders are cancelled in the next cycle. You keep the coins, and no stop will "
        "sell them if the price falls."
    ),
    BUY: _(
        "Its orders are cancelled in the next cycle. You keep the cash, and no order will "
        "buy the coins back if the price rises."
    ),
}
PARTLY_TITLE = {
    SELL: _("%(quantity)s %(coin)s of this position have no stop"),
    BUY: _("No order buys back %(quantity)s %(coin)s of this sale"),
}
PARTLY = {
    SELL: _(
        "They are reserved by another order, or were not in the account when the stop and "
        "take profit were placed."
    ),
    BUY: _(
        "Their funds are reserved by another order, or were not in the account when the stop "
        "and take profit were placed."
    ),
}
STOP_ONLY = {
    SELL: _(
        "If the price falls, the stop sells. The take profit is not placed until the "
        "market allows both orders."
    ),
    BUY: _(
        "If the price rises, the stop buys. The take profit is not placed until the "
        "market allows both orders."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerInput:
    """Input of the texts. `unprotected` is the quantity without a stop although the group is active, in coins.

    `reason` is why the group is in its state, `names_retry` whether it says when that is tried again, `refusal`
    the exchange's last refusal if `reason` does not name it, `resting_target` the quantity of a take profit that
    is open without its stop.
    """

    state: State
    currency: str
    reason: str
    unprotected: Decimal
    is_sent: bool
    names_retry: bool = False
    exit_side: ExitSide = ExitSide.SELL
    refusal: str = ""
    resting_target: Decimal | None = None
    has_target: bool = True
    wants_target: bool = True
    release_requested_by: str = ""
    price_limit: str = ""  # max buy price, if the market is above it

    def text(self, by_side: Mapping[ExitSide, Promise], **values: str) -> str:
        return str(by_side[self.exit_side]) % {"coin": self.currency, **values}


@dataclass(frozen=True, slots=True)
class Banner:
    """`tone`: crit, warn, info or ok."""

    tone: str
    icon: str
    title: str
    lines: tuple[str, ...]


def banner_of(inputs: BannerInput) -> Banner | None:
    """None when all is well."""
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
    lines = [inputs.reason, inputs.refusal, inputs.text(FAILED)]
    if inputs.resting_target is not None:
        lines.append(inputs.text(TARGET_LEFT, quantity=number_text(inputs.resting_target)))
    return Banner("crit", "octagon-alert", inputs.text(FAILED_TITLE), _non_empty(lines))


def _unknown(inputs: BannerInput) -> Banner:
    lines = [inputs.reason, inputs.text(UNKNOWN)]
    return Banner(
        "warn", "triangle-alert", gettext("It is unknown whether the stop exists"), _non_empty(lines)
    )


def _exiting(inputs: BannerInput) -> Banner:
    return Banner("warn", "clock", inputs.text(EXITING_TITLE), _non_empty([inputs.reason]))


def _unprotected(inputs: BannerInput) -> Banner:
    if inputs.is_sent:
        lines = [inputs.reason, inputs.text(SENT)]
        return Banner("warn", "clock", gettext("Placing the stop"), _non_empty(lines))
    lines = [inputs.reason, inputs.refusal]
    if not inputs.reason:
        lines = [gettext("The worker places its orders in the next cycle.")]
    elif not inputs.names_retry:
        lines.append(gettext("The worker retries in the next cycle."))
    return Banner("warn", "shield-off", inputs.text(UNPROTECTED_TITLE), _non_empty(lines))


def _release_requested(inputs: BannerInput) -> Banner:
    title = inputs.text(RELEASE_TITLE, name=inputs.release_requested_by)
    return Banner("warn", "shield-off", title, (inputs.text(RELEASE),))


def _above_limit(inputs: BannerInput) -> Banner | None:
    """The stop may have triggered: then it is a limit order below the market."""
    if not inputs.price_limit:
        return None
    title = str(ABOVE_LIMIT_TITLE) % {"coin": inputs.currency}
    return Banner("crit", "octagon-alert", title, (str(ABOVE_LIMIT) % {"ceiling": inputs.price_limit},))


def _partly_unprotected(inputs: BannerInput) -> Banner | None:
    if not inputs.unprotected:
        return None
    title = inputs.text(PARTLY_TITLE, quantity=number_text(inputs.unprotected))
    return Banner("warn", "shield-half", title, (inputs.text(PARTLY),))


def _stop_only(inputs: BannerInput) -> Banner | None:
    if inputs.has_target or not inputs.wants_target:
        return None
    lines = [inputs.reason, inputs.text(STOP_ONLY)]
    return Banner("info", "info", gettext("Stop only: no take profit is open"), _non_empty(lines))


def _non_empty(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
