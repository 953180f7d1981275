"""Reading for display: the dashboard, the one object that the page and the API both show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchange.rows import OrderRow, UsdPrices
from exchange.selectors import order_rows, orders_executed, orders_open
from portfolio.freshness import SyncState, sync_state
from portfolio.mode import Mode, Trading, mode_now, trading_now
from portfolio.models import Balance

EXECUTED_SHOWN = 50
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One currency of the account; money in USD, `allocation_pct` of the total. None is unknown."""

    currency: str
    quantity: Decimal
    available: Decimal | None
    reserved: Decimal | None
    price_usd: Decimal | None
    market_value_usd: Decimal | None
    allocation_pct: Decimal | None
    protected_quantity: Decimal | None = None
    unprotected_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures on top, in USD. `unpriced` names what is held but counted in no total."""

    total_usd: Decimal | None
    cash_usd: Decimal | None
    open_orders_count: int
    unpriced: tuple[str, ...]
    unrealised_pnl_usd: Decimal | None = None
    change_24h_usd: Decimal | None = None
    unprotected_usd: Decimal | None = None
    loss_if_all_stops_hit_usd: Decimal | None = None
    open_groups_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything that the first page says, at `as_of`."""

    mode: Mode
    trading: Trading
    as_of: datetime
    sync: SyncState
    summary: Summary
    portfolio: tuple[Holding, ...]
    open_orders: tuple[OrderRow, ...]
    executed_orders: tuple[OrderRow, ...]
    oco_groups: tuple[()] = ()
    unprotected: tuple[()] = ()
    watchlist: tuple[()] = ()
    signals: tuple[()] = ()


def dashboard(*, now: datetime | None = None) -> Dashboard:
    """The same eight queries, however many rows there are."""
    now = now or timezone.now()
    sync = sync_state(now=now)
    balances = list(Balance.objects.all())
    prices = usd_prices(balances)
    open_orders = order_rows(orders_open(), usd_prices=prices, with_fees=False)
    summary = _summary(balances, sync=sync, open_orders_count=len(open_orders))
    return Dashboard(
        mode=mode_now(),
        trading=trading_now(),
        as_of=now,
        sync=sync,
        summary=summary,
        portfolio=_holdings(balances, total=summary.total_usd),
        open_orders=open_orders,
        executed_orders=order_rows(orders_executed()[:EXECUTED_SHOWN], usd_prices=prices),
    )


def usd_prices(balances: Sequence[Balance] | None = None) -> UsdPrices:
    """What the currencies of the account are worth; a dollar is a dollar."""
    rows = Balance.objects.all() if balances is None else balances
    known = {row.currency: row.price_usd for row in rows if row.price_usd is not None}
    return {**known, "USD": Decimal(1)}


def _summary(balances: Sequence[Balance], *, sync: SyncState, open_orders_count: int) -> Summary:
    cash = [row for row in balances if row.currency in settings.CASH_CURRENCIES]
    read = bool(balances) or sync.last_success is not None
    return Summary(
        total_usd=_total(balances) if read else None,
        cash_usd=_total(cash) if read else None,
        open_orders_count=open_orders_count,
        unpriced=tuple(row.currency for row in balances if row.quantity and row.market_value_usd is None),
    )


def _total(balances: Sequence[Balance]) -> Decimal | None:
    """The sum of what has a price, in cents; None when something is held and nothing of it has one."""
    held = [row for row in balances if row.quantity]
    values = [row.market_value_usd for row in held if row.market_value_usd is not None]
    return None if held and not values else sum(values, Decimal()).quantize(CENT)


def _holdings(balances: Sequence[Balance], *, total: Decimal | None) -> tuple[Holding, ...]:
    """What is held, the largest value first and the unpriced last."""
    held = [_holding(row, total=total) for row in balances if row.quantity]
    return tuple(sorted(held, key=lambda row: (row.market_value_usd is None, -(row.market_value_usd or 0))))


def _holding(row: Balance, *, total: Decimal | None) -> Holding:
    return Holding(
        currency=row.currency,
        quantity=row.quantity,
        available=row.available,
        reserved=row.reserved,
        price_usd=row.price_usd,
        market_value_usd=row.market_value_usd,
        allocation_pct=_percent(row.market_value_usd, total),
    )


def _percent(part: Decimal | None, total: Decimal | None) -> Decimal | None:
    """Rounded half even to two decimals, for reading only; None where there is no whole."""
    if part is None or total is None or total <= 0:
        return None
    return (part / total * 100).quantize(Decimal("0.01"))
