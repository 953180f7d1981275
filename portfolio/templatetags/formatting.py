"""Numbers as people read them, made in this one place; the whole value stays in `<data value>`.

With hidden amounts money and quantities are masked, prices and percentages are not: a price is public.

Times as people read them: the clock in the desk's time zone, ages coarse.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from exchange.fields import format_decimal
from exchange.selectors import OrderRow
from portfolio.status.sync_status import age_seconds
from portfolio.web.preferences import current_preferences

register = template.Library()

UNKNOWN = "n/a"
CENT = Decimal("0.01")
MAX_DECIMALS = 8
UP, DOWN = "M5 1 9.5 9h-9z", "M5 9 .5 1h9z"


@register.filter
def usd(value: Decimal | None) -> SafeString:
    """`$1,234.56`, rounded half even to the cent, never to nothing."""
    return money(value, usd_text(value))


@register.filter
def usd_down(value: Decimal | None) -> SafeString:
    """As `usd`, but rounded down: nobody can spend a cent that is not there."""
    return money(value, usd_text(value, rounding=ROUND_DOWN))


@register.filter
def usd_big(value: Decimal | None) -> SafeString:
    """As `usd` with the cents set back, for the largest figure of a page."""
    text = usd_text(value)
    if value is None or "." not in text or text.startswith(("<", "−<")):
        return money(value, text)
    whole, cents = text.rsplit(".", 1)
    return money(value, format_html('{}<span class="cents">.{}</span>', whole, cents))


@register.filter
def gain(value: Decimal | None) -> SafeString:
    """A result in USD: arrow, sign, colour last. Nothing won or lost is grey and has no sign."""
    return _result(value, money(value, signed(usd_text(value), value)), arrow=True)


@register.filter
def gain_plain(value: Decimal | None) -> SafeString:
    """The same without the arrow, for what would be won or lost."""
    return _result(value, money(value, signed(usd_text(value), value)))


@register.filter
def change(value: Decimal | None) -> SafeString:
    """A change in percent: arrow, sign, colour last."""
    return _result(value, signed_percent(value), arrow=True)


@register.filter
def signed_percent(value: Decimal | None, decimals: int = 2) -> SafeString:
    """`+1.29%`, without colour."""
    return data(value, signed(percent_text(value, decimals), value))


@register.filter
def realised(order: OrderRow, results: Mapping[int, Decimal]) -> Decimal | None:
    """What this sale gained in USD, None when that is not known."""
    return results.get(order.id)


@register.filter
def amount(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """A price with the instrument's decimals; without an instrument, with its own, at most eight."""
    return data(value, amount_text(value, decimals))


@register.filter
def quantity(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """How much of something, written as `amount`."""
    return money(value, amount_text(value, decimals))


@register.filter
def held(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """A quantity of a currency, rounded down: the decimals of its pair, else its own, at most eight."""
    return money(value, held_text(value, decimals))


@register.filter
def percent(value: Decimal | None, decimals: int = 2) -> SafeString:
    """`42.90%`."""
    return data(value, percent_text(value, decimals))


def money(value: Decimal | None, text: str) -> SafeString:
    """`data`, unless amounts are hidden."""
    if value is None or not current_preferences().hides_amounts:
        return data(value, text)
    return format_html(
        '<span class="hid" aria-hidden="true">•••</span><span class="vh">{}</span>', _("hidden")
    )


def data(value: Decimal | None, text: str) -> SafeString:
    """`text` with the exact number behind it, for copying and for machines."""
    if value is None:
        return format_html('<span class="na">{}</span>', text)
    return format_html('<data value="{}">{}</data>', format_decimal(value), text)


def usd_text(value: Decimal | None, *, rounding: str = ROUND_HALF_EVEN) -> str:
    if value is None:
        return UNKNOWN
    sign, size = "−" if value < 0 else "", abs(value)
    shown = size.quantize(CENT, rounding=rounding)
    return f"{sign}<$0.01" if size and not shown else f"{sign}${shown:,f}"


def amount_text(value: Decimal | None, decimals: int | None = None) -> str:
    """Rounded half even to `decimals`; what would become zero is shown whole."""
    if value is None:
        return UNKNOWN
    return _grouped(value, _own_decimals(value) if decimals is None else decimals)


def held_text(value: Decimal | None, decimals: int | None = None) -> str:
    """What would become zero is shown whole."""
    if value is None:
        return UNKNOWN
    return _grouped(value, _own_decimals(value) if decimals is None else decimals, rounding=ROUND_DOWN)


def percent_text(value: Decimal | None, decimals: int = 2) -> str:
    """What would become zero is `<0.01%`."""
    if value is None:
        return UNKNOWN
    least = Decimal(1).scaleb(-decimals)
    if value and not value.quantize(least):
        return f"{'−' if value < 0 else ''}<{least}%"
    return f"{_grouped(value, decimals)}%"


def signed(text: str, value: Decimal | None) -> str:
    """A plus before what is more than nothing; the minus is there already."""
    return f"+{text}" if value is not None and value > 0 else text


def _result(value: Decimal | None, html: SafeString, *, arrow: bool = False) -> SafeString:
    if not value:
        return format_html('<span class="muted">{}</span>', html)
    css_class, path = ("gain", UP) if value > 0 else ("loss", DOWN)
    tick = '<svg class="tick" viewBox="0 0 10 10" aria-hidden="true"><path d="{}"></path></svg>'
    return format_html(
        '<span class="{}">{}{}</span>', css_class, format_html(tick, path) if arrow else "", html
    )


def _grouped(value: Decimal, decimals: int, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """Thousands by commas and a true minus."""
    shown = value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    return f"{value if value and not shown else shown:,f}".replace("-", "−")


def _own_decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(MAX_DECIMALS, max(0, -exponent)) if isinstance(exponent, int) else 0


AGE_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
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
    size, unit = next((step for step in AGE_UNITS if seconds >= step[0]), AGE_UNITS[-1])
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
