"""Rounding that takes any number: rounding one with more digits than decimals are computed with raises (pure)."""

from collections.abc import Collection
from decimal import ROUND_HALF_EVEN, Context, Decimal

WIDE = Context(prec=400)
MAX_ROUNDED_DIGITS = 300  # before the point; a larger number has no decimals that matter


def rounded(value: Decimal, decimals: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """`value` with so many decimals; as it is where that has no meaning."""
    if not value.is_finite() or value.adjusted() > MAX_ROUNDED_DIGITS:
        return value
    return value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding, context=WIDE)


def cents(value: Decimal) -> Decimal:
    return rounded(value, 2)


def complete_sum(values: Collection[Decimal | None]) -> Decimal | None:
    """None when one of the values is not known; 0 when there are none."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal()) if len(known) == len(values) else None
