"""What is wrong with a group, and what that means for the money, in words (pure)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from oco.states import State, is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class Plight:
    """What the words depend on. `lacking` is what has no stop although the group is active.

    `resting_target` is the quantity of a take-profit that works without its stop.
    """

    state: State
    currency: str
    reason: str
    lacking: Decimal
    is_sent: bool
    refusal: str = ""
    resting_target: Decimal | None = None
    has_target: bool = True
    wants_target: bool = True
    leaving_by: str = ""


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
        return _partly(plight) or _alone(plight)
    return {
        State.STOP_FAILED: _failed,
        State.UNKNOWN: _unknown,
        State.EXITING: _selling,
    }.get(plight.state, _bare)(plight)


def _named(words: str, plight: Plight) -> str:
    return words % {"coin": plight.currency}


def _failed(plight: Plight) -> Banner:
    lines = [
        plight.refusal or plight.reason,
        _("It is tried again in every cycle until a stop rests, the coins are sold, or you step in."),
    ]
    if plight.resting_target is not None:
        words = _("The take-profit order holds %(quantity)s %(coin)s and is still working.")
        lines.append(words % {"quantity": f"{plight.resting_target:f}", "coin": plight.currency})
    return Banner(
        "crit", "octagon-alert", _named(_("If %(coin)s falls, nothing will sell"), plight), _told(lines)
    )


def _unknown(plight: Plight) -> Banner:
    lines = [
        plight.reason,
        _(
            "Until the order is found, or proved absent, count these coins as unprotected. Look on the exchange."
        ),
    ]
    return Banner("warn", "triangle-alert", _("It is not known whether the stop exists"), _told(lines))


def _selling(plight: Plight) -> Banner:
    title = _named(_("%(coin)s is being sold at the market"), plight)
    return Banner("warn", "clock", title, _told([plight.reason]))


def _bare(plight: Plight) -> Banner:
    if plight.is_sent:
        lines = [plight.reason, _("Until both orders have been read back, a fall may sell nothing.")]
        return Banner("warn", "clock", _("The stop is on its way"), _told(lines))
    again = _("The worker tries again in the next cycle.")
    lines = (
        [plight.reason, again] if plight.reason else [_("The worker places its orders in the next cycle.")]
    )
    return Banner(
        "warn", "shield-off", _named(_("If %(coin)s falls now, nothing will sell"), plight), _told(lines)
    )


def _leaving(plight: Plight) -> Banner:
    lines = [
        _("Its orders are cancelled in the next cycle. The coins stay, and nothing will sell them in a fall.")
    ]
    title = _("%(name)s asked to take this protection away") % {"name": plight.leaving_by}
    return Banner("warn", "shield-off", title, _told(lines))


def _partly(plight: Plight) -> Banner | None:
    if not plight.lacking:
        return None
    missing = {"quantity": f"{plight.lacking:f}", "coin": plight.currency}
    title = _("%(quantity)s %(coin)s of this position have no stop") % missing
    why = _("They are behind another order, or were not there when stop and target were placed.")
    return Banner("warn", "shield-half", title, _told([why]))


def _alone(plight: Plight) -> Banner | None:
    if plight.has_target or not plight.wants_target:
        return None
    lines = [plight.reason, _("A fall sells. A rise to the target does not, until there is room for both.")]
    return Banner("info", "info", _("The stop stands alone: no target rests"), _told(lines))


def _told(lines: list[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
