"""Signals as people read them."""

from decimal import Decimal

from django import template
from django.utils.safestring import SafeString

from portfolio.signals.selectors import INPUT_NAMES, TIMEFRAME_NAMES
from portfolio.templatetags.money import amount_text, data

register = template.Library()


@register.filter
def timeframe_words(timeframe: str) -> str:
    """`4 h` for 4h."""
    return str(TIMEFRAME_NAMES[timeframe])


@register.filter
def input_words(name: str) -> str:
    """What an indicator is called."""
    return str(INPUT_NAMES.get(name, name))


@register.filter
def input_value(text: str) -> SafeString:
    """With the digits it was stored with: an indicator of a coin of a millionth has many."""
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    return data(value, amount_text(value, max(0, -exponent) if isinstance(exponent, int) else 0))
