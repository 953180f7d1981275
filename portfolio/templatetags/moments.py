"""Times as people read them: the clock in the desk's time zone, ages coarse."""

from datetime import datetime

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portfolio.status.freshness import age_seconds

register = template.Library()

STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
TODAY, THIS_YEAR, EARLIER = "H:i:s", "j M H:i", "j M Y"


@register.filter
def clock(moment: datetime | None, now: datetime) -> SafeString:
    """`14:02:41` today, `21 Nov 22:47` before, `21 Nov 2025` in another year."""
    if moment is None:
        return format_html('<span class="na">n/a</span>')
    here, today = timezone.localtime(moment), timezone.localtime(now)
    style = TODAY if here.date() == today.date() else THIS_YEAR if here.year == today.year else EARLIER
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), dateformat.format(here, style))


@register.filter
def minute(moment: datetime | None, now: datetime) -> SafeString:
    """As `clock`, without the seconds."""
    if moment is None:
        return format_html('<span class="na">n/a</span>')
    here, today = timezone.localtime(moment), timezone.localtime(now)
    style = "H:i" if here.date() == today.date() else THIS_YEAR
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), dateformat.format(here, style))


@register.filter
def age(seconds: int | None) -> str:
    """`23 s`, `4 min`, `2 h`, `3 d`: the largest unit that is not zero."""
    if seconds is None:
        return "n/a"
    size, unit = next((step for step in STEPS if seconds >= step[0]), STEPS[-1])
    return f"{seconds // size} {unit}"


@register.filter
def ago(moment: datetime, now: datetime) -> SafeString:
    """`23 s ago`, counted on by the script while the page is open."""
    words = _("%s ago")
    return _ticking(moment, now, words)


@register.filter
def since(moment: datetime, now: datetime) -> SafeString:
    """`41 min`, counted on by the script while the page is open."""
    return _ticking(moment, now, "%s")


def _ticking(moment: datetime, now: datetime, words: str) -> SafeString:
    html = '<time datetime="{}" data-age="{}">{}</time>'
    return format_html(html, moment.isoformat(), words, words % age(age_seconds(moment, now=now)))
