"""Filters for numbers and times.

The exact number stays in `<data value>`. With amounts hidden, money and quantities are masked, while prices and
percentages are not: a price is public. Times are in TIME_ZONE.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django import template
from django.template.defaultfilters import stringfilter
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from exchange.core.numbers import keep_together
from exchange.fields import format_decimal
from exchange.selectors import OrderRow
from portfolio.accounting.pnl import SaleResult
from portfolio.formatting import (
    UNKNOWN,
    age,
    amount_text,
    own_decimals,
    percent_text,
    signed,
    split_decimals,
    usd_text,
)
from portfolio.status.sync_status import age_seconds
from portfolio.web.preferences import current_preferences

register = template.Library()

UP, DOWN = "M5 1 9.5 9h-9z", "M5 9 .5 1h9z"
TIME, TIME_TO_MINUTE, THIS_YEAR, EARLIER = "H:i:s", "H:i", "j M H:i", "j M Y"
AGE = re.compile(r'(<time datetime="([^"]+)" data-age="([^"]+)">)[^<]*')
NO_TIME = format_html('<span class="na">{}</span>', UNKNOWN)

register.filter("age", age)


@register.filter(is_safe=True)
@stringfilter
def together(text: str) -> str:
    """A sentence, in which no number is torn from its unit."""
    return keep_together(text)


@register.filter
def usd(value: Decimal | None) -> SafeString:
    """`$1,234.56`, rounded half even to the cent."""
    return money(value, usd_text(value))


@register.filter
def usd_down(value: Decimal | None) -> SafeString:
    """As `usd`, but rounded down: nobody can spend a cent that is not there."""
    return money(value, usd_text(value, rounding=ROUND_DOWN))


@register.filter
def usd_big(value: Decimal | None) -> SafeString:
    """As `usd` with small cents, for the largest figure of a page."""
    text = usd_text(value)
    whole, cents = split_decimals(text)
    if value is None or not cents or text.startswith(("<", "−<")):
        return money(value, text)
    return money(value, format_html('{}<span class="cents">{}</span>', whole, cents))


@register.filter
def gain(value: Decimal | None) -> SafeString:
    """A P&L in USD with arrow, sign and colour; zero is grey and has no sign."""
    return _coloured(value, money(value, signed(usd_text(value), value)), arrow=True)


@register.filter
def gain_plain(value: Decimal | None) -> SafeString:
    """As `gain` without the arrow, for a possible gain or loss."""
    return _coloured(value, money(value, signed(usd_text(value), value)))


@register.filter
def change(value: Decimal | None) -> SafeString:
    """A change in percent with arrow, sign and colour."""
    return _coloured(value, signed_percent(value), arrow=True)


@register.filter
def signed_percent(value: Decimal | None, decimals: int = 2) -> SafeString:
    """`+1.29%`, without colour."""
    return data(value, signed(percent_text(value, decimals), value))


@register.filter
def realised(order: OrderRow, realised_pnl: Mapping[int, SaleResult]) -> SaleResult | None:
    """The realised P&L of a sell order, None when it is not known."""
    return realised_pnl.get(order.id)


@register.filter
def amount(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """A price with the decimals of its instrument, else with its own, at most eight."""
    return data(value, amount_text(value, decimals))


@register.filter
def same_decimals_as(value: Decimal | None, other: Decimal | None) -> SafeString:
    """A price with as many decimals as another price of the same instrument."""
    return amount(value, own_decimals(other))


@register.filter
def quantity(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """As `amount`, but masked while amounts are hidden."""
    return money(value, amount_text(value, decimals))


@register.filter
def quantity_down(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """As `quantity`, but rounded down: nobody can sell what is not there."""
    return money(value, amount_text(value, decimals, rounding=ROUND_DOWN))


@register.filter
def percent(value: Decimal | None, decimals: int = 2) -> SafeString:
    """`42.90%`."""
    return data(value, percent_text(value, decimals))


@register.filter
def clock(moment: datetime | None, now: datetime) -> SafeString:
    """`14:02:41` today, `21 Nov 22:47` this year, `21 Nov 2025` earlier."""
    if moment is None:
        return NO_TIME
    then, today = timezone.localtime(moment), timezone.localtime(now)
    same_day, same_year = then.date() == today.date(), then.year == today.year
    return _time(moment, dateformat.format(then, TIME if same_day else THIS_YEAR if same_year else EARLIER))


@register.filter
def minute(moment: datetime | None, now: datetime) -> SafeString:
    """As `clock`, without the seconds."""
    if moment is None:
        return NO_TIME
    then, today = timezone.localtime(moment), timezone.localtime(now)
    return _time(
        moment, dateformat.format(then, TIME_TO_MINUTE if then.date() == today.date() else THIS_YEAR)
    )


@register.filter
def ago(moment: datetime, now: datetime) -> SafeString:
    """`23 s ago`, updated by the script while the page is open."""
    return _ticking(moment, now, _("%s ago"))


@register.filter
def since(moment: datetime, now: datetime) -> SafeString:
    """`41 min`, updated by the script while the page is open."""
    return _ticking(moment, now, "%s")


def money(value: Decimal | None, text: str) -> SafeString:
    """As `data`, but masked while amounts are hidden."""
    if value is None or not current_preferences().hides_amounts:
        return data(value, text)
    return format_html(
        '<span class="hid" aria-hidden="true">•••</span><span class="vh">{}</span>', _("hidden")
    )


def data(value: Decimal | None, text: str) -> SafeString:
    """`text` with the exact number in `value`, for copying and for programs."""
    if value is None:
        return format_html('<span class="na">{}</span>', text)
    return format_html('<data value="{}">{}</data>', format_decimal(value), text)


def _coloured(value: Decimal | None, html: SafeString, *, arrow: bool = False) -> SafeString:
    if not value:
        return format_html('<span class="muted">{}</span>', html)
    css_class, path = ("gain", UP) if value > 0 else ("loss", DOWN)
    tick = '<svg class="tick" viewBox="0 0 10 10" aria-hidden="true"><path d="{}"></path></svg>'
    return format_html(
        '<span class="{}">{}{}</span>', css_class, format_html(tick, path) if arrow else "", html
    )


def _time(moment: datetime, text: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), text)


def renew_ages(html: str, *, now: datetime) -> str:
    """Finished HTML with the ages of `now`."""
    return AGE.sub(
        lambda found: f"{found[1]}{_age_text(found[3], datetime.fromisoformat(found[2]), now)}", html
    )


def _age_text(wording: str, moment: datetime, now: datetime) -> str:
    return wording % age(age_seconds(moment, now=now))


def _ticking(moment: datetime, now: datetime, wording: str) -> SafeString:
    html = '<time datetime="{}" data-age="{}">{}</time>'
    return format_html(html, moment.isoformat(), wording, _age_text(wording, moment, now))
