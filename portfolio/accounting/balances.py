"""Stores the balances of the account."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from exchange.schemas import AccountBalance, PositionBalance
from portfolio.accounting.valuation import PRECISION, Prices, value_position
from portfolio.models import Balance

COLUMNS = ["quantity", "available", "reserved", "price_usd", "market_value_usd", "read_at"]
NOTHING = Decimal(0)


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
    reported = {each.instrument_name: _row(each, prices, now) for each in balance.positions}
    Balance.objects.bulk_create(
        list((zeroed | reported).values()),
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=COLUMNS,
    )
    return len(reported)


def balance_check(*, balance: AccountBalance, stored: Stored) -> None:
    """Raises EmptyBalance for a response that is empty by error."""
    held = [row.currency for row in stored.values() if row.quantity]
    if held and not balance.positions and balance.total_cash_balance != NOTHING:
        raise EmptyBalance(
            f"Balances: the exchange returned no coins, although {', '.join(held)} were held. Ignored."
        )


def _row(position: PositionBalance, prices: Prices, now: datetime) -> Balance:
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
