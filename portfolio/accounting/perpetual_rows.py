"""Derivative positions as shown: without protection, whatever rests beside them on the exchange (rule 4)."""

from decimal import Decimal

from django.db.models import QuerySet

from exchange.core.reasons import Reason, reason
from oco.engine.coverage import CoinCoverage, CoverageStatus, Unprotected
from oco.engine.reason_codes import ReasonCode
from oco.presentation.positions import Position
from portfolio.models import Perpetual


def perpetuals_open() -> QuerySet[Perpetual]:
    return Perpetual.objects.exclude(quantity=0)


def perpetual_positions() -> list[Position]:
    """One row each, told by the instrument: a perpetual of a coin is not that coin."""
    return [Position(coverage=_covered(row), groups=()) for row in perpetuals_open()]


def perpetual_reason() -> Reason:
    return reason(ReasonCode.PERPETUAL)


def _covered(row: Perpetual) -> CoinCoverage:
    unprotected_parts = Unprotected(
        instrument_name=row.instrument_name,
        quantity=row.quantity,
        market_value_usd=row.market_value_usd,
        since=row.since,
        reason=perpetual_reason(),
    )
    return CoinCoverage(
        currency=row.instrument_name,
        instrument_name=row.instrument_name,
        coverage_status=CoverageStatus.UNPROTECTED,
        held=row.quantity,
        protected=Decimal(),
        unprotected_parts=(unprotected_parts,),
    )
