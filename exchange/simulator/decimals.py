"""Exact decimal helpers: text in, text out, rounding to a grid with the direction in the name."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, InvalidOperation

ZERO = Decimal(0)
MOST, LEAST_EXPONENT = Decimal(10) ** 15, -18


def parse(text: str) -> Decimal | None:
    """A finite number of sensible size, or None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    sensible = value.is_finite() and abs(value) < MOST and _exponent(value) >= LEAST_EXPONENT
    return value if sensible else None


def plain(value: Decimal) -> str:
    """Without exponent, digits as they are: Decimal("1.0780") gives "1.0780"."""
    return format(value, "f")


def short(value: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    return plain(value.normalize()) if value else "0"


def normal(value: Decimal) -> Decimal:
    """The same number with trailing zeros gone and no positive exponent."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if _exponent(value) > 0 else value


def on_grid(value: Decimal, step: Decimal) -> bool:
    return value % step == 0


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step


def with_step(value: Decimal, step: Decimal) -> Decimal:
    """With as many decimals as the step has: 0.0375 on 0.00001 is 0.03750; a step of 10000 has none."""
    return value.quantize(Decimal(1).scaleb(min(0, _exponent(step.normalize()))))


def eight(value: Decimal) -> Decimal:
    """Cut (not rounded) to 8 decimals, as market values are shown (dossier 5.6)."""
    return value.quantize(Decimal("0.00000001"), rounding=ROUND_DOWN)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
