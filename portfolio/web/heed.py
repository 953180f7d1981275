"""The one line above everything else: which position needs the person, and what that exposes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.cover import Cover
from oco.overview import Position

ZERO = Decimal(0)
ALARMING = frozenset({Cover.STOP_FAILED, Cover.UNKNOWN})
NEEDS_YOU = ALARMING | {Cover.UNPROTECTED, Cover.PARTLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heed:
    """`worst` is what is said first, `others` how many more lack something; `exposed_usd` counts known prices."""

    worst: Position
    others: int
    exposed_usd: Decimal

    @property
    def is_alarm(self) -> bool:
        """Something we believed in is not there, or nobody knows: worth a line on every page."""
        return self.worst.covered.cover in ALARMING


def needing(positions: Sequence[Position]) -> list[Position]:
    """Those that need the person, the worst first."""
    return [position for position in positions if position.covered.cover in NEEDS_YOU]


def heed_of(positions: Sequence[Position]) -> Heed | None:
    found = needing(positions)
    if not found:
        return None
    exposed = sum((position.covered.bare_usd or ZERO for position in found), ZERO)
    return Heed(worst=found[0], others=len(found) - 1, exposed_usd=exposed)
