"""Numbers as people read them, made in this one place; the whole value stays in `<data value>`."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchange.fields import plain

register = template.Library()

UNKNOWN = "n/a"
CENT = Decimal("0.01")
MOST_DECIMALS = 8


@register.filter
def usd(value: Decimal | None) -> SafeString:
    """`$1,234.56`, rounded half even to the cent, never to nothing."""
    return data(value, usd_text(value))


@register.filter
def usd_down(value: Decimal | None) -> SafeString:
    """As `usd`, but rounded down: nobody can spend a cent that is not there."""
    return data(value, usd_text(value, rounding=ROUND_DOWN))


@register.filter
def amount(value: Decimal | None, decimals: int | None = None) -> SafeString:
    """A price or a quantity with the instrument's decimals; without an instrument, with its own, at most eight."""
    return data(value, amount_text(value, decimals))


@register.filter
def held(value: Decimal | None) -> SafeString:
    """A quantity of a currency: at most eight decimals, rounded down."""
    return data(value, held_text(value))


@register.filter
def percent(value: Decimal | None) -> SafeString:
    """Two decimals."""
    return data(value, UNKNOWN if value is None else f"{_grouped(value, 2)}%")


def data(value: Decimal | None, text: str) -> SafeString:
    """`text` with the exact number behind it, for copying and for machines."""
    if value is None:
        return format_html('<span class="na">{}</span>', text)
    return format_html('<data value="{}">{}</data>', plain(value), text)


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


def held_text(value: Decimal | None) -> str:
    return UNKNOWN if value is None else _grouped(value, _own_decimals(value), rounding=ROUND_DOWN)


def _grouped(value: Decimal, decimals: int, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """Thousands by commas and a true minus."""
    shown = value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)
    return f"{value if value and not shown else shown:,f}".replace("-", "−")


def _own_decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return min(MOST_DECIMALS, max(0, -exponent)) if isinstance(exponent, int) else 0
