"""From a number to its place between two ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

HUNDRED = Decimal(100)
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
UNITS = ((Decimal(10**9), "b"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """`low` is at 0 % and `high` at 100 %."""

    low: Decimal
    high: Decimal

    def at(self, value: Decimal) -> Decimal:
        """0 to 100; the middle where there is no width."""
        width = self.high - self.low
        return (value - self.low) / width * HUNDRED if width else HUNDRED / 2

    def down(self, value: Decimal) -> Decimal:
        """The same from the top, as screens count."""
        return HUNDRED - self.at(value)


def text(place: Decimal, decimals: int = 1) -> str:
    """`37.4`, with a point in every language."""
    return f"{place:.{decimals}f}"


def nice_ticks(low: Decimal, high: Decimal, *, most: int = 4) -> Sequence[Decimal]:
    """Round numbers from at most `low` to at least `high`, about `most` of them."""
    width = high - low or abs(high) / 10 or Decimal(1)
    power = Decimal(1).scaleb((width / most).adjusted())
    step = next(one * power for one in STEPS if one * power >= width / most)
    first = (low / step).to_integral_value("ROUND_FLOOR")
    last = (high / step).to_integral_value("ROUND_CEILING")
    count = max(1, int(last - first))
    return [(first + index) * step for index in range(count + 1)]


def short_all(values: Sequence[Decimal]) -> list[str]:
    """`46k`, `1.25M`: only for axes. All of one unit and with as many decimals."""
    most = max(map(abs, values), default=Decimal())
    unit, letter = next(((unit, letter) for unit, letter in UNITS if most >= unit), (Decimal(1), ""))
    shown = [(value / unit).normalize() for value in values]
    decimals = max((_decimals(value) for value in shown), default=0)
    return [f"{value:,.{decimals}f}{letter}".replace("-", "−") for value in shown]


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
