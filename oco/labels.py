"""What the states of protection are called, on pages, in messages and in the admin alike."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exchange.labels import label_of
from oco.engine.pricing import ExitSide
from oco.engine.states import ON_HOLD, REMOVAL_REQUESTED

STATE_LABELS: dict[str, Promise] = {
    "PENDING": _("Pending"),
    "ACTIVE": _("Protected"),
    "REPLACING": _("Replacing"),
    "EXITING": _("Selling at market"),
    "STOP_FAILED": _("Stop failed"),
    "UNKNOWN": _("Unknown, check"),
    "CLOSED_BY_STOP": _("Stop hit"),
    "CLOSED_BY_TARGET": _("Take profit hit"),
    "CLOSED_BY_EXIT": _("Sold at market"),
    "CLOSED_BY_HAND": _("Closed manually"),
    "RELEASED": _("Protection removed"),
}
ROLE_LABELS: dict[str, Promise] = {
    "STOP_LOSS": _("Stop loss"),
    "TAKE_PROFIT": _("Take profit"),
    "EXIT": _("Exit"),
}
REASON_LABELS: dict[str, Promise] = {
    REMOVAL_REQUESTED: _("Removal requested"),
    ON_HOLD: _("On hold, trading is off"),
}
"""What a group is shown as when its reason says more than its state."""
BUY_BACK_LABELS: dict[str, Promise] = {
    "ACTIVE": _("Active"),
    "EXITING": _("Buying at market"),
    "CLOSED_BY_EXIT": _("Bought at market"),
}
"""Replaces states of a group that buys back what was sold."""


def state_label(shown_state: str, exit_side: ExitSide) -> str:
    """Of a group, or of an event of one: pass its `shown_state`."""
    labels = STATE_LABELS | REASON_LABELS
    return label_of(labels | BUY_BACK_LABELS if exit_side is ExitSide.BUY else labels, shown_state)
