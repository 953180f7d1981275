"""Keeps the derivative positions that the account has now."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from exchange.core.columns import fit_to_columns
from exchange.schemas import AccountBalance, Position
from portfolio.accounting.valuation import Prices, round_value
from portfolio.models import Perpetual

COLUMNS = ["quantity", "market_value_usd", "since", "read_at"]
NOTHING = Decimal(0)


class EmptyPositions(ValueError):
    """An answer without any position, although some were open and the account still counts their cost."""


def perpetual_record_all(
    *, positions: Iterable[Position], balance: AccountBalance | None, prices: Prices, now: datetime
) -> int:
    """Store all positions as read; how many. One that a believable answer leaves out is closed."""
    stored = {(row.instrument_name, row.isolation_id): row for row in Perpetual.objects.all()}
    found = [_row(position, prices, now) for position in positions if position.quantity]
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
        update_fields=COLUMNS,
    )
    return len(reported)


def _check_plausible(balance: AccountBalance | None) -> None:
    """Resting orders may tie up margin as well, but only positions have a cost."""
    if balance is None or balance.total_position_cost:
        raise EmptyPositions("Positions: the exchange named none, although some were open. Not believed.")


def _row(position: Position, prices: Prices, now: datetime) -> Perpetual:
    value = _value(position, prices)
    reported = {
        "instrument_name": position.instrument_name,
        "isolation_id": position.isolation_id,
        "quantity": position.quantity,
        "market_value_usd": None if value is None else round_value(abs(value)),
    }
    return Perpetual(since=now, read_at=now, **fit_to_columns(Perpetual, reported))


def _value(position: Position, prices: Prices) -> Decimal | None:
    """At the last price; else its worth at the last hourly settlement, which is what `cost` is (dossier 5.10)."""
    price = prices.get(position.instrument_name)
    return position.cost if price is None else position.quantity * price


def _since(known: Perpetual | None, row: Perpetual) -> datetime:
    """The same position as long as it points the same way."""
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
