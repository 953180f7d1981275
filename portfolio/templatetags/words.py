"""The exchange's capitals as words; what we have no word for is shown as sent."""

from django import template

register = template.Library()

STATUS_WORDS = {
    "ACTIVE": "Working",
    "NEW": "Waiting",
    "PENDING": "Waiting",
    "FILLED": "Filled",
    "CANCELED": "Cancelled",
    "EXPIRED": "Expired",
    "REJECTED": "Rejected",
    "UNKNOWN": "Unknown, check",
}
STATUS_LOOKS = {"ACTIVE": "ok", "NEW": "wait", "PENDING": "wait", "REJECTED": "crit", "UNKNOWN": "warn"}
COVER_WORDS = {
    "STOP_FAILED": "Stop failed",
    "UNKNOWN": "Unknown, check",
    "UNPROTECTED": "Unprotected",
    "PARTLY": "Partly",
    "WAITING": "Sent, waiting",
    "PROTECTED": "Protected",
}
COVER_LOOKS = {"STOP_FAILED": "crit", "WAITING": "wait", "PROTECTED": "ok"}


@register.filter
def instrument(name: str) -> str:
    """`BTC/USD` for BTC_USD; a perpetual keeps its name."""
    return name.replace("_", "/")


@register.filter
def words(capitals: str) -> str:
    """`Stop limit` for STOP_LIMIT."""
    return capitals.replace("_", " ").capitalize()


@register.filter
def status_words(status: str) -> str:
    return STATUS_WORDS.get(status, status)


@register.filter
def status_look(status: str) -> str:
    """The class of its pill."""
    return STATUS_LOOKS.get(status, "off")


@register.filter
def cover_words(cover: str) -> str:
    return COVER_WORDS[cover]


@register.filter
def cover_look(cover: str) -> str:
    """The class of its pill."""
    return COVER_LOOKS.get(cover, "warn")
