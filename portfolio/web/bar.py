"""A bar divided into shares: coverage and allocation."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from portfolio.web.scale import HUNDRED, text

GAP = Decimal("0.35")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One share: where it begins, how wide it is drawn, and how many percent it is."""

    label: str
    look: str
    x: str
    width: str
    percent: Decimal


def divided(shares: Sequence[tuple[str, str, Decimal]]) -> list[Slice]:
    """`shares` (label, class, value) of their sum, with a small gap between them; nothing of nothing."""
    total = sum((value for _, _, value in shares), Decimal())
    slices, start = [], Decimal()
    for label, look, value in shares:
        if not total or value <= 0:
            continue
        width = value / total * HUNDRED
        drawn = max(width - GAP, Decimal("0.4"))
        slices.append(Slice(label=label, look=look, x=text(start, 2), width=text(drawn, 2), percent=width))
        start += width
    return slices
