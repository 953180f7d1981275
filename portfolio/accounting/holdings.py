"""What the account holds: its balances, and its derivative positions, stored as read.

Exchange Desk protects spot only, so a perpetual is shown as unprotected, whatever orders are open for it (rule 4).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from exchange.core.database import fit_to_columns
from exchange.core.reasons import Reason, Sentence, SyncReason, reason
from exchange.schemas import AccountBalance, PositionBalance
from exchange.schemas import Position as ReportedPosition
from oco.engine.coverage import CoinCoverage, CoverageStatus, Unprotected
from oco.engine.reason_codes import ReasonCode
from oco.presentation.positions import Position
from portfolio.accounting.valuation import PRECISION, Prices, round_value, value_position
from portfolio.models import Balance, Perpetual

BALANCE_COLUMNS = ["quantity", "available", "reserved", "price_usd", "market_value_usd", "read_at"]
NOTHING = Decimal(0)
PERPETUAL_COLUMNS = ["quantity", "market_value_usd", "since", "read_at"]


# Balances


class EmptyBalance(ValueError):
    """A response without coins, although coins were held and the exchange still counts cash."""


Stored = Mapping[str, Balance]


def balances_stored() -> Stored:
    return {row.currency: row for row in Balance.objects.all()}


def balance_record_all(*, balance: AccountBalance, stored: Stored, prices: Prices, now: datetime) -> int:
    """Store all balances as read, in place of `stored`. A coin that a plausible response leaves out is gone: a
    known zero.
    """
    zeroed = {currency: _zero_balance(currency, now) for currency in stored}
    reported = {each.instrument_name: _balance_row(each, prices, now) for each in balance.positions}
    Balance.objects.bulk_create(
        list((zeroed | reported).values()),
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=BALANCE_COLUMNS,
    )
    return len(reported)


def balance_check(*, balance: AccountBalance, stored: Stored) -> None:
    """Raises EmptyBalance for a response that is empty by error."""
    held = [row.currency for row in stored.values() if row.quantity]
    if held and not balance.positions and balance.total_cash_balance != NOTHING:
        names = ", ".join(held)
        text = f"Balances: the exchange returned no coins, although {names} were held. Ignored."
        raise EmptyBalance(Sentence(text, SyncReason.NO_COINS, names=names))


def _balance_row(position: PositionBalance, prices: Prices, now: datetime) -> Balance:
    valuation = value_position(position, prices)
    available = position.max_withdrawal_balance
    return Balance(
        currency=position.instrument_name,
        quantity=position.quantity,
        available=available,
        reserved=_reserved(position.quantity, available),
        price_usd=valuation.price_usd,
        market_value_usd=valuation.market_value_usd,
        read_at=now,
    )


def _reserved(quantity: Decimal, available: Decimal | None) -> Decimal | None:
    # `max_withdrawal_balance` has 8 decimals, so a smaller difference is rounding (dossier 5.6).
    if available is None:
        return None
    return quantity - available if quantity - available >= PRECISION else NOTHING


def _zero_balance(currency: str, now: datetime) -> Balance:
    return Balance(
        currency=currency,
        quantity=NOTHING,
        available=NOTHING,
        reserved=NOTHING,
        market_value_usd=NOTHING,
        read_at=now,
    )


# Perpetuals


class EmptyPositions(ValueError):
    """A response without positions, although some were open and the account still counts their cost."""


def perpetual_record_all(
    *, positions: Iterable[ReportedPosition], balance: AccountBalance | None, prices: Prices, now: datetime
) -> int:
    """Store all positions as read and return how many. One that a plausible response leaves out is closed."""
    stored = {(row.instrument_name, row.isolation_id): row for row in Perpetual.objects.all()}
    found = [_perpetual_row(position, prices, now) for position in positions if position.quantity]
    reported = {(row.instrument_name, row.isolation_id): row for row in found}
    if not reported and any(row.quantity for row in stored.values()):
        _check_plausible(balance)
    for key, row in reported.items():
        row.since = _since(stored.get(key), row)
    closed = {key: _closed(row, now) for key, row in stored.items() if row.quantity}
    Perpetual.objects.bulk_create(
        list((closed | reported).values()),
        update_conflicts=True,
        unique_fields=["instrument_name", "isolation_id"],
        update_fields=PERPETUAL_COLUMNS,
    )
    return len(reported)


def perpetuals_open() -> QuerySet[Perpetual]:
    return Perpetual.objects.exclude(quantity=0)


def perpetual_positions() -> list[Position]:
    """One row for each, named by its instrument: a perpetual of a coin is not that coin."""
    return [Position(coverage=_coverage(row), groups=()) for row in perpetuals_open()]


def perpetual_reason() -> Reason:
    return reason(ReasonCode.PERPETUAL)


def _check_plausible(balance: AccountBalance | None) -> None:
    # Open orders may reserve margin as well, but only positions have a cost.
    if balance is None or balance.total_position_cost:
        text = "Positions: the exchange returned none, although some were open. Ignored."
        raise EmptyPositions(Sentence(text, SyncReason.NO_POSITIONS))


def _perpetual_row(position: ReportedPosition, prices: Prices, now: datetime) -> Perpetual:
    value = _value(position, prices)
    reported = {
        "instrument_name": position.instrument_name,
        "isolation_id": position.isolation_id,
        "quantity": position.quantity,
        "market_value_usd": None if value is None else round_value(abs(value)),
    }
    return Perpetual(since=now, read_at=now, **fit_to_columns(Perpetual, reported))


def _value(position: ReportedPosition, prices: Prices) -> Decimal | None:
    # Without a last price, its value at the last hourly settlement, which is what `cost` is (dossier 5.10).
    price = prices.get(position.instrument_name)
    return position.cost if price is None else position.quantity * price


def _since(known: Perpetual | None, row: Perpetual) -> datetime:
    # It is the same position as long as it is on the same side.
    same = known is not None and known.quantity * row.quantity > 0
    return known.since if known is not None and same else row.since


def _closed(row: Perpetual, now: datetime) -> Perpetual:
    return Perpetual(
        instrument_name=row.instrument_name,
        isolation_id=row.isolation_id,
        quantity=NOTHING,
        market_value_usd=NOTHING,
        since=row.since,
        read_at=now,
    )


def _coverage(row: Perpetual) -> CoinCoverage:
    unprotected_part = Unprotected(
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
        protected=NOTHING,
        unprotected_parts=(unprotected_part,),
    )
