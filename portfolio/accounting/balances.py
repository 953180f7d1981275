"""Keeps what the account holds now."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from exchange.schemas import AccountBalance, PositionBalance
from portfolio.accounting.valuation import DIGITS, Prices, worth_of
from portfolio.models import Balance

COLUMNS = ["quantity", "available", "reserved", "price_usd", "market_value_usd", "read_at"]
NOTHING = Decimal(0)


class EmptyBalance(ValueError):
    """An answer without any coin, although coins were held and the exchange still counts cash."""


def balance_record_all(*, balance: AccountBalance, prices: Prices, now: datetime) -> int:
    """Store all holdings as read. A coin that a believable answer leaves out is gone: zero, known."""
    kept = {row.currency: row for row in Balance.objects.all()}
    _believe(balance, kept)
    gone = {currency: _gone(currency, now) for currency in kept}
    told = {each.instrument_name: _row(each, prices, now) for each in balance.positions}
    Balance.objects.bulk_create(
        list((gone | told).values()),
        update_conflicts=True,
        unique_fields=["currency"],
        update_fields=COLUMNS,
    )
    return len(told)


def _believe(balance: AccountBalance, kept: Mapping[str, Balance]) -> None:
    held = [row.currency for row in kept.values() if row.quantity]
    if held and not balance.positions and balance.total_cash_balance != NOTHING:
        raise EmptyBalance(
            f"Balances: the exchange named no coin at all, although {', '.join(held)} were held. Not believed."
        )


def _row(position: PositionBalance, prices: Prices, now: datetime) -> Balance:
    worth = worth_of(position, prices)
    available = position.max_withdrawal_balance
    return Balance(
        currency=position.instrument_name,
        quantity=position.quantity,
        available=available,
        reserved=_reserved(position.quantity, available),
        price_usd=worth.price_usd,
        market_value_usd=worth.market_value_usd,
        read_at=now,
    )


def _reserved(quantity: Decimal, available: Decimal | None) -> Decimal | None:
    """What is not available; `max_withdrawal_balance` has 8 decimals, so less than that is rounding (dossier 5.6)."""
    if available is None:
        return None
    return quantity - available if quantity - available >= DIGITS else NOTHING


def _gone(currency: str, now: datetime) -> Balance:
    return Balance(
        currency=currency,
        quantity=NOTHING,
        available=NOTHING,
        reserved=NOTHING,
        market_value_usd=NOTHING,
        read_at=now,
    )
