"""What statuses are called, on pages, in messages and in the admin alike."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ORDER_STATUS_LABELS: dict[str, Promise] = {
    "ACTIVE": _("Active"),
    "NEW": _("Pending"),
    "PENDING": _("Pending"),
    "FILLED": _("Filled"),
    "CANCELED": _("Cancelled"),
    "EXPIRED": _("Expired"),
    "REJECTED": _("Rejected"),
    "UNKNOWN": _("Unknown, check"),
}
STREAM_STATUS_LABELS: dict[str, Promise] = {
    "live": _("Connected"),
    "catching_up": _("Catching up"),
    "down": _("Not connected"),
    "off": _("Off"),
}
TRIGGER_LABELS: dict[str, Promise] = {
    "schedule": _("Schedule"),
    "stream": _("Live stream"),
    "command": _("Command"),
}
"""What started a cycle, unless it was a user."""


def label_of(labels: dict[str, Promise], code: str) -> str:
    """The label of `code`, or the code itself if it has none."""
    return str(labels.get(code, code))
