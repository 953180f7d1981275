"""Realised and unrealised P&L in USD: of holdings, of sales, of today. What is unknown is None, with a reason."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from exchange.core.decimals import cents
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import Trade
from exchange.models.sync import HistoryRange, Stream
from exchange.selectors import OrderRow, UsdPrices
from portfolio.accounting.cost_basis import DOLLARS, Stock
from portfolio.accounting.valuation import round_value, sum_known
from portfolio.models import Balance, CostEntry, PositionCost

ZERO = Decimal(0)
HUNDRED = Decimal(100)


class UnknownReason(StrEnum):
    """Why a P&L figure is unknown."""

    BEHIND = "BEHIND"
    UNEXPLAINED = "UNEXPLAINED"
    NO_DOLLARS = "NO_DOLLARS"
    UNPRICED = "UNPRICED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinResult:
    """One held coin at the average cost of its fills, in USD. `unknown_reason` says why a figure is None."""

    average_cost_usd: Decimal | None = None
    unrealised_usd: Decimal | None = None
    unrealised_pct: Decimal | None = None
    unknown_reason: UnknownReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayResult:
    """Since midnight in TIME_ZONE, in USD. `unknown_sales` are in no result, `unpriced_fees` in no sum."""

    realised_usd: Decimal | None
    sales: int
    unknown_sales: int
    fees_usd: Decimal
    unpriced_fees: tuple[str, ...]


def coin_results(balances: Sequence[Balance]) -> dict[str, CoinResult]:
    """By currency, for every coin that is held and is not cash. One query."""
    held = [row for row in balances if row.quantity and row.currency not in settings.CASH_CURRENCIES]
    costs = {
        row.currency: row for row in PositionCost.objects.filter(currency__in=[row.currency for row in held])
    }
    return {row.currency: _coin_result(row, costs.get(row.currency)) for row in held}


def unrealised_total(results: Mapping[str, CoinResult]) -> Decimal | None:
    """The sum of the known results, in cents; None when none is known."""
    known = [one.unrealised_usd for one in results.values() if one.unrealised_usd is not None]
    return sum_known(known) if known else None


def load_sales(orders: Sequence[OrderRow], *, since_ns: int) -> list[CostEntry]:
    """The sales of `orders` and all sales since, for `order_results` and `today` together. One query."""
    sales = CostEntry.objects.filter(is_sale=True)
    return list(sales.filter(Q(order_id__in=_order_ids(_filled_sales(orders))) | Q(at_ns__gte=since_ns)))


def order_results(orders: Sequence[OrderRow], sales: Iterable[CostEntry] | None = None) -> dict[int, Decimal]:
    """Realised P&L by our order id, after fees in dollars; a sale that is not fully explained is left out.

    One query, none with `sales`.
    """
    sold = _filled_sales(orders)
    entries: dict[tuple[str, str], list[CostEntry]] = defaultdict(list)
    for entry in (
        CostEntry.objects.filter(is_sale=True, order_id__in=_order_ids(sold)) if sales is None else sales
    ):
        entries[entry.order_id, entry.instrument_name].append(entry)
    found = {order.id: _order_result(order, entries) for order in sold}
    return {id: result for id, result in found.items() if result is not None}


def trade_results(trade_ids: Sequence[str]) -> dict[str, Decimal]:
    """Realised P&L by trade id, where it is known. One query."""
    rows = CostEntry.objects.filter(is_sale=True, trade_id__in=trade_ids, realised_usd__isnull=False)
    return {
        trade_id: gain for trade_id, gain in rows.values_list("trade_id", "realised_usd") if gain is not None
    }


def today(*, now: datetime, usd_prices: UsdPrices, sales: Iterable[CostEntry] | None = None) -> TodayResult:
    """Two queries, one with `sales`. Fees in another coin count at its current price; those without one are listed."""
    since = midnight_ns(now)
    if sales is None:
        sales = CostEntry.objects.filter(is_sale=True, at_ns__gte=since)
    gains = [sale.realised_usd for sale in sales if sale.at_ns >= since]
    known = [gain for gain in gains if gain is not None]
    fees = _fees(since)
    worth = {coin: ZERO if not fee else _in_usd(coin, fee, usd_prices) for coin, fee in fees.items()}
    return TodayResult(
        realised_usd=sum_known(known) if known or not gains else None,
        sales=len(gains),
        unknown_sales=len(gains) - len(known),
        fees_usd=cents(sum((fee for fee in worth.values() if fee is not None), ZERO)),
        unpriced_fees=tuple(sorted(coin for coin, fee in worth.items() if fee is None)),
    )


def midnight_ns(now: datetime) -> int:
    """Start of the day of `now` in TIME_ZONE, in exchange nanoseconds."""
    return to_ms(timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)) * NS_PER_MS


def is_history_complete() -> bool:
    """Whether no range of trades is still to be fetched. One query."""
    return not HistoryRange.objects.filter(stream=Stream.TRADES, done_at__isnull=True).exists()


def _coin_result(balance: Balance, cost: PositionCost | None) -> CoinResult:
    if cost is not None and cost.behind_ns is not None:
        return CoinResult(unknown_reason=UnknownReason.BEHIND)
    stock = Stock(cost.quantity, cost.cost_usd) if cost else Stock()
    if not stock.explains(balance.quantity):
        return CoinResult(unknown_reason=UnknownReason.UNEXPLAINED)
    average = stock.average
    if average is None:
        return CoinResult(unknown_reason=UnknownReason.NO_DOLLARS)
    if balance.market_value_usd is None:
        return CoinResult(average_cost_usd=average, unknown_reason=UnknownReason.UNPRICED)
    paid = average * balance.quantity
    gained = round_value(balance.market_value_usd - paid)
    pct = cents(gained / paid * HUNDRED) if paid > 0 else None
    return CoinResult(average_cost_usd=average, unrealised_usd=gained, unrealised_pct=pct)


def _filled_sales(orders: Sequence[OrderRow]) -> list[OrderRow]:
    return [order for order in orders if order.side == "SELL" and order.filled_quantity > 0]


def _order_ids(orders: Sequence[OrderRow]) -> set[str]:
    return {id for order in orders for id in (order.order_id, order.exchange_order_id) if id}


def _order_result(order: OrderRow, entries: Mapping[tuple[str, str], Sequence[CostEntry]]) -> Decimal | None:
    ids = {order.order_id, order.exchange_order_id or order.order_id}
    matching = [entry for id in ids for entry in entries.get((id, order.instrument_name), ())]
    gains = [entry.realised_usd for entry in matching if entry.realised_usd is not None]
    is_complete = -sum((entry.change for entry in matching), ZERO) >= order.filled_quantity
    return sum(gains, ZERO) if matching and is_complete and len(gains) == len(matching) else None


def _fees(since_ns: int) -> dict[str, Decimal]:
    # By currency: positive was paid.
    paid: dict[str, Decimal] = defaultdict(Decimal)
    rows = Trade.objects.filter(create_time_ns__gte=since_ns).values_list("fee_currency", "fee")
    for currency, fee in rows.order_by():
        paid[currency] -= fee
    return dict(paid)


def _in_usd(coin: str, fee: Decimal, usd_prices: UsdPrices) -> Decimal | None:
    price = Decimal(1) if coin in DOLLARS else usd_prices.get(coin)
    return None if price is None else fee * price
