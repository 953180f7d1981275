"""The one line above everything else: what needs the person, and what that exposes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.coverage import RANK, Cover
from oco.presentation.positions import BuyBack, Position

ZERO = Decimal(0)
ALARMING = frozenset({Cover.STOP_FAILED, Cover.UNKNOWN})
NEEDS_YOU = ALARMING | {Cover.UNPROTECTED, Cover.PARTLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A position, or a buy-back, that lacks something. `exposed_usd`: coins without a stop, at known prices."""

    currency: str
    cover: Cover
    exposed_usd: Decimal = ZERO
    is_buyback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heed:
    """`worst` is what is said first, `others` how many more lack something; `exposed_usd` counts known prices."""

    worst: Trouble
    others: int
    exposed_usd: Decimal

    @property
    def is_alarm(self) -> bool:
        """Something we believed in is not there, or nobody knows: worth a line on every page."""
        return self.worst.cover in ALARMING


def troubles(positions: Sequence[Position], buybacks: Sequence[BuyBack]) -> list[Trouble]:
    """What needs the person, the worst first; a position before a buy-back that is as bad."""
    held = [
        Trouble(
            currency=position.covered.currency,
            cover=position.covered.cover,
            exposed_usd=position.covered.bare_usd or ZERO,
        )
        for position in positions
    ]
    sold = [Trouble(currency=row.base, cover=row.cover, is_buyback=True) for row in buybacks]
    found = [one for one in (*held, *sold) if one.cover in NEEDS_YOU]
    return sorted(found, key=lambda one: (RANK[one.cover], one.is_buyback))


def heed_of(found: Sequence[Trouble]) -> Heed | None:
    if not found:
        return None
    exposed = sum((one.exposed_usd for one in found), ZERO)
    return Heed(worst=found[0], others=len(found) - 1, exposed_usd=exposed)
