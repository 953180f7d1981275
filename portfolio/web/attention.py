"""The banner above every page: which positions and buy-backs need attention, and their value without a stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from oco.engine.coverage import RANK, CoverageStatus
from oco.presentation.positions import BuyBack, Position

ZERO = Decimal(0)
ALARM_COVERAGE = frozenset({CoverageStatus.STOP_FAILED, CoverageStatus.UNKNOWN})
NEEDS_ATTENTION = ALARM_COVERAGE | {CoverageStatus.UNPROTECTED, CoverageStatus.PARTLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """A position or a buy-back that needs attention. `exposed_usd`: coins without a stop, at known prices."""

    currency: str
    coverage_status: CoverageStatus
    exposed_usd: Decimal = ZERO
    is_buyback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionBanner:
    """`others`: how many more than `worst` need attention. `exposed_usd` is the total at known prices."""

    worst: AttentionItem
    others: int
    exposed_usd: Decimal

    @property
    def is_alarm(self) -> bool:
        """A stop that should be open is missing or not confirmed: shown on every page."""
        return self.worst.coverage_status in ALARM_COVERAGE


def attention_items(positions: Sequence[Position], buybacks: Sequence[BuyBack]) -> list[AttentionItem]:
    """The worst first; a position before a buy-back of the same status."""
    held = [
        AttentionItem(
            currency=position.coverage.currency,
            coverage_status=position.coverage.coverage_status,
            exposed_usd=position.coverage.unprotected_usd or ZERO,
        )
        for position in positions
    ]
    sold = [
        AttentionItem(currency=row.base, coverage_status=row.coverage_status, is_buyback=True)
        for row in buybacks
    ]
    found = [one for one in (*held, *sold) if one.coverage_status in NEEDS_ATTENTION]
    return sorted(found, key=lambda one: (RANK[one.coverage_status], one.is_buyback))


def build_attention_banner(found: Sequence[AttentionItem]) -> AttentionBanner | None:
    if not found:
        return None
    exposed = sum((one.exposed_usd for one in found), ZERO)
    return AttentionBanner(worst=found[0], others=len(found) - 1, exposed_usd=exposed)
