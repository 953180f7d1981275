"""What is wrong with a group, and what that means for the money, in words (pure)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from oco.engine.pricing import Way
from oco.engine.states import State, is_final
from oco.presentation.wording import BUYS, WORDING, Wording


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
    return Banner("warn", "triangle-alert", _("It is not known whether the stop exists"), _told(lines))


def _selling(plight: Plight) -> Banner:
    title = plight.told(plight.wording.exiting_title)
    return Banner("warn", "clock", title, _told([plight.reason]))


def _bare(plight: Plight) -> Banner:
    if plight.is_sent:
        lines = [plight.reason, str(plight.wording.sent)]
        return Banner("warn", "clock", _("The stop is on its way"), _told(lines))
    again = _("The worker tries again in the next cycle.")
    lines = (
        [plight.reason, again] if plight.reason else [_("The worker places its orders in the next cycle.")]
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
    return Banner("info", "info", _("The stop stands alone: no target rests"), _told(lines))


def _told(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
