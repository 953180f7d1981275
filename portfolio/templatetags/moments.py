"""Times as people read them: the clock in the desk's time zone, ages coarse."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@register.filter
def clock(moment: datetime, now: datetime) -> SafeString:
    """`14:02:41` today, `21 Nov 22:47` before, `21 Nov 2025` in another year."""
    here, today = timezone.localtime(moment), timezone.localtime(now)
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), _clock_text(here, today))


@register.filter
def age(seconds: int | None) -> str:
    """`23 s`, `4 min`, `2 h`, `3 d`: the largest unit that is not zero."""
    if seconds is None:
        return "n/a"
    size, unit = next((step for step in STEPS if seconds >= step[0]), STEPS[-1])
    return f"{seconds // size} {unit}"


def _clock_text(here: datetime, today: datetime) -> str:
    if here.date() == today.date():
        return f"{here:%H:%M:%S}"
    day = f"{here.day} {MONTHS[here.month - 1]}"
    return f"{day} {here:%H:%M}" if here.year == today.year else f"{day} {here.year}"
