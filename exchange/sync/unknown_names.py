"""What the account names and the stored catalogue does not: a market or a coin listed since it was read."""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db.models import Q

from exchange.core.instrument_names import is_derivative
from exchange.models import Instrument
from exchange.sync.fetch import AccountSnapshot


def unknown_names(*, snapshot: AccountSnapshot, entries: Collection[str] = ()) -> set[str]:
    """Instruments of orders, trades and `entries`, and coins held, that are not in the catalogue.

    Derivatives are left out: they are shown by their positions.
    """
    symbols = {name for name in (*_traded(snapshot), *entries) if not is_derivative(name)}
    coins = set(_held(snapshot)) - set(settings.CASH_CURRENCIES)
    if not symbols and not coins:
        return set()
    named = Q(symbol__in=symbols) | Q(base_ccy__in=coins) | Q(quote_ccy__in=coins)
    rows = Instrument.objects.filter(named).values_list("symbol", "base_ccy", "quote_ccy")
    known = {name for row in rows for name in row}
    return (symbols | coins) - known


def names_found(snapshot: AccountSnapshot, names: Collection[str]) -> bool:
    """Whether the catalogue that was just read contains any of `names`."""
    rows = snapshot.instruments.rows if snapshot.instruments else None
    return any({row.symbol, row.base_ccy, row.quote_ccy} & set(names) for row in rows or ())


def _traded(snapshot: AccountSnapshot) -> Iterable[str]:
    for part in snapshot.open_orders.values():
        yield from (order.instrument_name for order in part.rows or ())
    yield from (
        trade.instrument_name for trade in (snapshot.trades.rows.rows if snapshot.trades.rows else ())
    )


def _held(snapshot: AccountSnapshot) -> Iterable[str]:
    rows = snapshot.balance.rows.positions if snapshot.balance.rows else ()
    return (row.instrument_name for row in rows if row.quantity)
