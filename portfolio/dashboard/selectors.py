"""The Dashboard object, which both the page and the API show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from exchange.core.numbers import cents, complete_sum
from exchange.selectors import (
    OrderRow,
    UsdPrices,
    instruments_of,
    order_rows,
    orders_executed,
    orders_open,
    trades_with_fees,
)
from oco.engine.coverage import CoinCoverage, Unprotected
from oco.presentation.positions import BuyBack, Overview, Position, overview
from oco.presentation.previews import Holdings
from oco.selectors import GroupRow
from portfolio.accounting.equity_curve import Change, Curve, Point, change_24h, curve
from portfolio.accounting.holdings import perpetual_positions
from portfolio.accounting.pnl import (
    CoinResult,
    SaleResult,
    TodayResult,
    coin_results,
    load_sales,
    midnight_ns,
    order_results,
    today,
    unrealised_total,
)
from portfolio.accounting.valuation import sum_known
from portfolio.dashboard.shown_until import shown_until
from portfolio.models import Balance, WatchlistItem
from portfolio.signals.selectors import SignalBoard, SignalRow, board
from portfolio.signals.watchlist import WatchlistRow, fresh_prices, load_quotes, to_watchlist_rows
from portfolio.status.sync_status import LastModified, SyncState, load_last_modified, sync_state
from portfolio.status.trading_mode import Mode, Trading, current_mode, current_trading

EXECUTED_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One currency of the account; money in USD, `allocation_pct` of the total. None is unknown.

    `place` is its place among all currencies that the account ever held, in the order in which they came: it stays.
    `too_small` was bought and cannot be protected alone: it waits for the next purchase.
    """

    place: int
    currency: str
    quantity: Decimal
    available: Decimal | None
    reserved: Decimal | None
    price_usd: Decimal | None
    market_value_usd: Decimal | None
    allocation_pct: Decimal | None
    protected_quantity: Decimal
    unprotected_quantity: Decimal
    too_small: Unprotected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Key figures in USD. `unpriced` lists what is held but in no total.

    If all stops hit, as they rest: `loss_…` from current prices, `result_…` against cost, before slippage and fees.
    For the page only: `change_24h`, `unrealised_unknown` (positions without a known P&L), `cash_in_orders_usd`
    (reserved by open buy orders), `loss_unknown` (coins with a stop whose loss cannot be calculated).
    """

    total_usd: Decimal | None
    cash_usd: Decimal | None
    open_orders_count: int
    open_groups_count: int
    unpriced: tuple[str, ...]
    unprotected_usd: Decimal | None
    loss_if_all_stops_hit_usd: Decimal | None
    result_if_all_stops_hit_usd: Decimal | None = None
    unrealised_pnl_usd: Decimal | None = None
    change_24h: Change | None = None
    unrealised_unknown: int = 0
    cash_in_orders_usd: Decimal | None = None
    loss_unknown: tuple[str, ...] = ()

    @property
    def change_24h_usd(self) -> Decimal | None:
        """Without what came in or left without a trade."""
        return self.change_24h.usd if self.change_24h else None

    @property
    def net_flows_24h_usd(self) -> Decimal | None:
        """What came in (positive) or left without a trade: deposits, withdrawals, rewards."""
        return self.change_24h.net_flows_usd if self.change_24h else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything the dashboard shows, at `as_of`.

    For the page only: `positions` and `buybacks`, worst first; `prices` by instrument, of what is bought back or
    watched; the `board` of all signals; `results` by currency; and, with a `span`, `realised` by our order id,
    `today`, and the `curve` of the account value. `shown_until` is when time alone changes more than ages; None while
    the kill switch cannot be read.
    """

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
    watchlist: tuple[WatchlistRow, ...]
    board: SignalBoard
    buybacks: tuple[BuyBack, ...] = ()
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    results: Mapping[str, CoinResult] = field(default_factory=dict)
    realised: Mapping[int, SaleResult] = field(default_factory=dict)
    today: TodayResult | None = None
    span: str | None = None
    curve: Curve = field(default_factory=Curve)
    last_modified: LastModified = field(default_factory=LastModified)
    shown_until: datetime | None = None

    @property
    def history(self) -> tuple[Point, ...]:
        return self.curve.points

    @property
    def signals(self) -> tuple[SignalRow, ...]:
        """Series with a signal; the others are on the `board` with a reason."""
        return self.board.calls


def load_dashboard(
    *, now: datetime | None = None, span: str | None = None, last_modified: LastModified | None = None
) -> Dashboard:
    """At most eighteen queries, and four more with a `span`, however many rows there are."""
    last_modified = last_modified or load_last_modified()  # first: a later change is then seen as new
    now, trading = now or timezone.now(), current_trading()
    sync = sync_state(now=now, last_modified=last_modified)
    balances, watchlist_items = list(Balance.objects.all()), list(WatchlistItem.objects.all())
    open_order_rows, executed_rows = list(orders_open()), list(orders_executed()[:EXECUTED_SHOWN])
    instrument_names = {row.instrument_name for row in (*open_order_rows, *executed_rows)} | {
        row.instrument_name for row in watchlist_items
    }
    instruments = instruments_of(symbols=instrument_names, currencies=[row.currency for row in balances])
    usd = usd_prices(balances)
    open_orders = order_rows(open_order_rows, usd_prices=usd, with_fees=False, instruments=instruments)
    held = {row.currency: row.quantity for row in balances}
    protection = overview(
        held=held,
        usd=usd,
        cash=settings.CASH_CURRENCIES,
        now=now,
        others=perpetual_positions(),
        instruments=instruments,
        open_order_rows=open_order_rows,
    )
    wanted = {row.instrument_name for row in watchlist_items}
    quotes = load_quotes(wanted | {row.group.instrument_name for row in protection.buybacks})
    results = coin_results(balances)
    summary = _summary(
        balances, sync=sync, protection=protection, results=results, open_orders_count=len(open_orders)
    )
    trades = trades_with_fees(orders=executed_rows, since_ns=midnight_ns(now)) if span else None
    executed = order_rows(executed_rows, usd_prices=usd, instruments=instruments, trades=trades)
    sales = load_sales(executed, since_ns=midnight_ns(now)) if span else []
    watchlist = to_watchlist_rows(
        watchlist_items, now=now, with_trend=span is not None, instruments=instruments, quotes=quotes
    )
    signals = board(now=now, last_modified=last_modified)
    until = shown_until(
        now=now, groups=protection.groups, signals=signals, watchlist=watchlist, has_curve=span is not None
    )
    return Dashboard(
        mode=current_mode(trading),
        trading=trading,
        as_of=now,
        sync=sync,
        summary=summary,
        portfolio=_holdings(balances, total=summary.total_usd, protection=protection),
        open_orders=open_orders,
        executed_orders=executed,
        oco_groups=protection.groups,
        unprotected=protection.unprotected,
        positions=protection.positions,
        buybacks=protection.buybacks,
        prices=fresh_prices(quotes.values(), at=sync.last_success or now),
        watchlist=watchlist,
        board=signals,
        last_modified=last_modified,
        results=results,
        realised=order_results(executed, sales) if span else {},
        today=today(now=now, usd_prices=usd, sales=sales, trades=trades) if span else None,
        span=span,
        curve=curve(span, now=now) if span else Curve(),
        shown_until=until if trading.is_known else None,
    )


def usd_prices(balances: Sequence[Balance] | None = None) -> UsdPrices:
    """Prices of the currencies of the account, with USD at 1."""
    rows = Balance.objects.all() if balances is None else balances
    known = {row.currency: row.price_usd for row in rows if row.price_usd is not None}
    return {**known, "USD": Decimal(1)}


def load_overview(*, now: datetime) -> Overview:
    """Positions and their coverage, for pages that show nothing else of the dashboard."""
    balances = list(Balance.objects.all())
    held = {row.currency: row.quantity for row in balances}
    usd = usd_prices(balances)
    return overview(held=held, usd=usd, cash=settings.CASH_CURRENCIES, now=now, others=perpetual_positions())


def load_holdings() -> Holdings:
    """Quantities and prices, to preview a stop."""
    balances = list(Balance.objects.all())
    held = {row.currency: row.quantity for row in balances}
    return Holdings(held=held, usd=usd_prices(balances), cash=settings.CASH_CURRENCIES)


def _summary(
    balances: Sequence[Balance],
    *,
    sync: SyncState,
    protection: Overview,
    results: Mapping[str, CoinResult],
    open_orders_count: int,
) -> Summary:
    held = [row for row in balances if row.quantity]
    cash = [row for row in held if row.currency in settings.CASH_CURRENCIES]
    read = bool(balances) or sync.last_success is not None
    loss = protection.loss_if_all_stops_hit
    total = sum_known([row.market_value_usd for row in held]) if read else None
    unpriced = tuple(row.currency for row in held if row.market_value_usd is None)
    read_at = max((row.read_at for row in balances), default=None)
    return Summary(
        total_usd=total,
        cash_usd=sum_known([row.market_value_usd for row in cash]) if read else None,
        open_orders_count=open_orders_count,
        open_groups_count=protection.open_count,
        unpriced=unpriced,
        unprotected_usd=sum_known([row.market_value_usd for row in protection.unprotected]) if read else None,
        loss_if_all_stops_hit_usd=cents(loss) if read and loss is not None else None,
        result_if_all_stops_hit_usd=_result_at_stops(protection, results) if read else None,
        loss_unknown=protection.loss_unknown,
        unrealised_pnl_usd=unrealised_total(results),
        unrealised_unknown=sum(one.unrealised_usd is None for one in results.values()),
        change_24h=change_24h(total, unpriced=unpriced, read_at=read_at, usd_prices=usd_prices(balances)),
        cash_in_orders_usd=sum_known([_reserved_usd(row) for row in cash]) if read else None,
    )


def _result_at_stops(protection: Overview, results: Mapping[str, CoinResult]) -> Decimal | None:
    """Against cost; None when one is not known."""
    found = [
        stop.result(results.get(position.coverage.currency, CoinResult()).average_cost_usd)
        for position in protection.positions
        for stop in position.resting_stops
    ]
    total = complete_sum(found)
    return None if total is None else cents(total)


def _reserved_usd(row: Balance) -> Decimal | None:
    if row.reserved is None or row.price_usd is None:
        return None
    worth: Decimal = row.reserved * row.price_usd
    return worth


def _holdings(
    balances: Sequence[Balance], *, total: Decimal | None, protection: Overview
) -> tuple[Holding, ...]:
    # The largest value first, without a price last.
    coverage = {position.coverage.currency: position.coverage for position in protection.positions}
    in_order = sorted(balances, key=lambda row: row.pk)
    held = [
        _holding(row, place=place, total=total, coverage=coverage, too_small=protection.too_small)
        for place, row in enumerate(in_order)
        if row.quantity
    ]
    held.sort(key=lambda row: (row.market_value_usd is None, -(row.market_value_usd or 0), row.currency))
    return tuple(held)


def _holding(
    row: Balance,
    *,
    place: int,
    total: Decimal | None,
    coverage: Mapping[str, CoinCoverage],
    too_small: Mapping[str, Unprotected],
) -> Holding:
    # Cash needs no stop: none of it is protected and none unprotected.
    is_cash, known = row.currency in settings.CASH_CURRENCIES, coverage.get(row.currency)
    protected = known.protected if known else Decimal()
    return Holding(
        place=place,
        currency=row.currency,
        quantity=row.quantity,
        available=row.available,
        reserved=row.reserved,
        price_usd=row.price_usd,
        market_value_usd=row.market_value_usd,
        allocation_pct=_percent(row.market_value_usd, total),
        protected_quantity=protected,
        unprotected_quantity=Decimal() if is_cash else row.quantity - protected,
        too_small=too_small.get(row.currency),
    )


def _percent(part: Decimal | None, total: Decimal | None) -> Decimal | None:
    # Rounded half even to two decimals, for display only.
    if part is None or total is None or total <= 0:
        return None
    return cents(part / total * 100)
