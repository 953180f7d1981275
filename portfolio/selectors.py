"""Reading for display: the dashboard, the one object that the page and the API both show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchange.rows import OrderRow, UsdPrices
from exchange.selectors import order_rows, orders_executed, orders_open
from oco.cover import Covered, Unprotected
from oco.overview import Overview, Position, overview
from oco.preview import Holdings
from oco.selectors import GroupRow
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
    protected_quantity: Decimal
    unprotected_quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures on top, in USD. `unpriced` names what is held but counted in no total."""

    total_usd: Decimal | None
    cash_usd: Decimal | None
    open_orders_count: int
    open_groups_count: int
    unpriced: tuple[str, ...]
    unprotected_usd: Decimal | None
    loss_if_all_stops_hit_usd: Decimal | None
    unrealised_pnl_usd: Decimal | None = None
    change_24h_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything that the first page says, at `as_of`. `positions`, the worst first, are for the page alone."""

    mode: Mode
    trading: Trading
    as_of: datetime
    sync: SyncState
    summary: Summary
    portfolio: tuple[Holding, ...]
    open_orders: tuple[OrderRow, ...]
    executed_orders: tuple[OrderRow, ...]
    oco_groups: tuple[GroupRow, ...]
    unprotected: tuple[Unprotected, ...]
    positions: tuple[Position, ...]
    watchlist: tuple[()] = ()
    signals: tuple[()] = ()


def dashboard(*, now: datetime | None = None) -> Dashboard:
    """The same fifteen queries at most, however many rows there are."""
    now, trading = now or timezone.now(), trading_now()
    sync = sync_state(now=now)
    balances = list(Balance.objects.all())
    prices = usd_prices(balances)
    open_orders = order_rows(orders_open(), usd_prices=prices, with_fees=False)
    held = {row.currency: row.quantity for row in balances}
    guarded = overview(held=held, usd=prices, cash=settings.CASH_CURRENCIES, now=now)
    summary = _summary(balances, sync=sync, guarded=guarded, open_orders_count=len(open_orders))
    return Dashboard(
        mode=mode_now(trading),
        trading=trading,
        as_of=now,
        sync=sync,
        summary=summary,
        portfolio=_holdings(balances, total=summary.total_usd, guarded=guarded),
        open_orders=open_orders,
        executed_orders=order_rows(orders_executed()[:EXECUTED_SHOWN], usd_prices=prices),
        oco_groups=guarded.groups,
        unprotected=guarded.unprotected,
        positions=guarded.positions,
    )


def usd_prices(balances: Sequence[Balance] | None = None) -> UsdPrices:
    """What the currencies of the account are worth; a dollar is a dollar."""
    rows = Balance.objects.all() if balances is None else balances
    known = {row.currency: row.price_usd for row in rows if row.price_usd is not None}
    return {**known, "USD": Decimal(1)}


def held_of(currency: str) -> Decimal:
    """What the account holds of `currency`, as last read; nothing when it was never read."""
    quantities = Balance.objects.filter(currency=currency).values_list("quantity", flat=True)
    return quantities.first() or Decimal()


def holdings_now() -> Holdings:
    """What is held and what it is worth, for whoever previews a stop."""
    balances = list(Balance.objects.all())
    held = {row.currency: row.quantity for row in balances}
    return Holdings(held=held, usd=usd_prices(balances), cash=settings.CASH_CURRENCIES)


def _summary(
    balances: Sequence[Balance], *, sync: SyncState, guarded: Overview, open_orders_count: int
) -> Summary:
    held = [row for row in balances if row.quantity]
    cash = [row for row in held if row.currency in settings.CASH_CURRENCIES]
    read = bool(balances) or sync.last_success is not None
    loss = guarded.loss_if_all_stops_hit
    return Summary(
        total_usd=_total([row.market_value_usd for row in held]) if read else None,
        cash_usd=_total([row.market_value_usd for row in cash]) if read else None,
        open_orders_count=open_orders_count,
        open_groups_count=guarded.open_count,
        unpriced=tuple(row.currency for row in held if row.market_value_usd is None),
        unprotected_usd=_total([row.market_value_usd for row in guarded.unprotected]) if read else None,
        loss_if_all_stops_hit_usd=loss.quantize(CENT) if read and loss is not None else None,
    )


def _total(values: Sequence[Decimal | None]) -> Decimal | None:
    """The sum of what has a price, in cents; None when there is something and nothing of it has one."""
    known = [value for value in values if value is not None]
    return None if values and not known else sum(known, Decimal()).quantize(CENT)


def _holdings(
    balances: Sequence[Balance], *, total: Decimal | None, guarded: Overview
) -> tuple[Holding, ...]:
    """What is held, the largest value first and the unpriced last."""
    covered = {position.covered.currency: position.covered for position in guarded.positions}
    held = [_holding(row, total=total, covered=covered) for row in balances if row.quantity]
    return tuple(sorted(held, key=lambda row: (row.market_value_usd is None, -(row.market_value_usd or 0))))


def _holding(row: Balance, *, total: Decimal | None, covered: Mapping[str, Covered]) -> Holding:
    """Cash needs no stop: none of it is protected and none unprotected."""
    is_cash, known = row.currency in settings.CASH_CURRENCIES, covered.get(row.currency)
    protected = known.protected if known else Decimal()
    return Holding(
        currency=row.currency,
        quantity=row.quantity,
        available=row.available,
        reserved=row.reserved,
        price_usd=row.price_usd,
        market_value_usd=row.market_value_usd,
        allocation_pct=_percent(row.market_value_usd, total),
        protected_quantity=protected,
        unprotected_quantity=Decimal() if is_cash else row.quantity - protected,
    )


def _percent(part: Decimal | None, total: Decimal | None) -> Decimal | None:
    """Rounded half even to two decimals, for reading only; None where there is no whole."""
    if part is None or total is None or total <= 0:
        return None
    return (part / total * 100).quantize(Decimal("0.01"))
