"""Results in templates: looked up by currency or order, and in words where they are not known."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from portfolio.accounting.pnl import Why
from portfolio.templatetags.money import amount

register = template.Library()

WHY_WORDS: dict[str, Promise] = {
    Why.BEHIND: _("The stored trades are still being worked through."),
    Why.UNEXPLAINED: _("More is held than the stored trades bought: it came in otherwise, or earlier."),
    Why.NO_DOLLARS: _("Not all of it was paid for in US dollars."),
    Why.UNPRICED: _("It has no price in US dollars."),
}


@register.filter
def of(results: Mapping[Any, Any], key: object) -> Any:
    """The entry of `key`, or None."""
    return results.get(key)


@register.filter
def as_exact_as(value: Decimal | None, other: Decimal | None) -> SafeString:
    """A price with as many decimals as another one of the same thing."""
    exponent = other.as_tuple().exponent if other is not None else None
    return amount(value, max(0, -exponent) if isinstance(exponent, int) else None)


@register.filter
def why_words(why: str | None) -> Promise | str:
    """A sentence for why a result is not known; nothing when it is."""
    return WHY_WORDS[why] if why else ""
