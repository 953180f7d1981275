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

from exchange.core.numbers import cents
from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import Trade
from exchange.models.sync import HistoryRange, Stream
from exchange.selectors import FEE_COLUMNS, OrderRow, UsdPrices
from portfolio.accounting.cost_basis import Stock
from portfolio.accounting.valuation import USD, round_value, sum_known
from portfolio.models import Balance, CostEntry, PositionCost

ZERO = Decimal(0)
HUNDRED = Decimal(100)


class UnknownReason(StrEnum):
    """Why a P&L figure is unknown."""

    BEHIND = "BEHIND"
    UNEXPLAINED = "UNEXPLAINED"
    NO_RATE = "NO_RATE"
    UNPRICED = "UNPRICED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinResult:
    """One held coin at the average cost of its fills, in USD. `unknown_reason` says why a figure is None.

    The figures are of the quantity with a known cost; `unexplained_quantity` is the rest.
    """

    average_cost_usd: Decimal | None = None
    unrealised_usd: Decimal | None = None
    unrealised_pct: Decimal | None = None
    unexplained_quantity: Decimal = ZERO
    unknown_reason: UnknownReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleResult:
    """Realised P&L in USD after fees, of all that was sold but the quantity `unexplained`, whose cost is unknown."""

    realised_usd: Decimal
    unexplained: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayResult:
    """Since midnight in TIME_ZONE, in USD. `unknown_sales` are in no result, `unpriced_fees` in no sum.

    Of the coins in `unexplained` a part that was sold is in no result either.
    """

    realised_usd: Decimal | None
    sales: int
    unknown_sales: int
    unexplained: tuple[str, ...]
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


def order_results(
    orders: Sequence[OrderRow], sales: Iterable[CostEntry] | None = None
) -> dict[int, SaleResult]:
    """By our order id; a sale of which nothing is explained is left out. One query, none with `sales`."""
    sold = _filled_sales(orders)
    entries: dict[tuple[str, str], list[CostEntry]] = defaultdict(list)
    for entry in (
        CostEntry.objects.filter(is_sale=True, order_id__in=_order_ids(sold)) if sales is None else sales
    ):
        entries[entry.order_id, entry.instrument_name].append(entry)
    found = {order.id: _order_result(order, entries) for order in sold}
    return {id: result for id, result in found.items() if result is not None}


def trade_results(trade_ids: Sequence[str]) -> dict[str, SaleResult]:
    """By trade id; a sale of which nothing is explained is left out. One query."""
    rows = CostEntry.objects.filter(is_sale=True, trade_id__in=trade_ids, realised_usd__isnull=False)
    found = rows.values_list("trade_id", "realised_usd", "unexplained")
    return {
        trade_id: SaleResult(realised_usd=gain, unexplained=rest)
        for trade_id, gain, rest in found
        if gain is not None
    }


def today(
    *,
    now: datetime,
    usd_prices: UsdPrices,
    sales: Iterable[CostEntry] | None = None,
    trades: Iterable[Trade] | None = None,
) -> TodayResult:
    """Two queries, none with `sales` and `trades`. A fee whose rate then is unknown counts at the present price;
    without one its currency is listed.
    """
    since = midnight_ns(now)
    if sales is None:
        sales = CostEntry.objects.filter(is_sale=True, at_ns__gte=since)
    sold = [sale for sale in sales if sale.at_ns >= since]
    gains = [sale.realised_usd for sale in sold]
    known = [gain for gain in gains if gain is not None]
    partly = {sale.currency for sale in sold if sale.realised_usd is not None and sale.unexplained}
    if trades is None:
        trades = Trade.objects.filter(create_time_ns__gte=since).order_by().only(*FEE_COLUMNS)
    paid_usd, unrated = _fees(trade for trade in trades if trade.create_time_ns >= since)
    worth = {coin: ZERO if not fee else _in_usd(coin, fee, usd_prices) for coin, fee in unrated.items()}
    return TodayResult(
        realised_usd=sum_known(known) if known or not gains else None,
        sales=len(gains),
        unknown_sales=len(gains) - len(known),
        unexplained=tuple(sorted(partly)),
        fees_usd=cents(sum((fee for fee in worth.values() if fee is not None), paid_usd)),
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
    held, stock = balance.quantity, _stock(cost)
    average, rest = stock.average, stock.unexplained(held)
    if average is None:
        is_unrated = stock.uncosted > 0
        reason = UnknownReason.NO_RATE if is_unrated else UnknownReason.UNEXPLAINED
        return CoinResult(unexplained_quantity=rest, unknown_reason=reason)
    if balance.market_value_usd is None:
        return CoinResult(
            average_cost_usd=average, unexplained_quantity=rest, unknown_reason=UnknownReason.UNPRICED
        )
    explained = held - rest
    paid = average * explained
    gained = round_value(balance.market_value_usd * explained / held - paid)
    pct = cents(gained / paid * HUNDRED) if paid > 0 else None
    return CoinResult(
        average_cost_usd=average, unrealised_usd=gained, unrealised_pct=pct, unexplained_quantity=rest
    )


def _stock(cost: PositionCost | None) -> Stock:
    if cost is None or cost.cost_usd is None:
        return Stock()
    return Stock(cost.quantity, cost.cost_usd, cost.uncosted)


def _filled_sales(orders: Sequence[OrderRow]) -> list[OrderRow]:
    return [order for order in orders if order.side == "SELL" and order.filled_quantity > 0]


def _order_ids(orders: Sequence[OrderRow]) -> set[str]:
    return {id for order in orders for id in (order.order_id, order.exchange_order_id) if id}


def _order_result(
    order: OrderRow, entries: Mapping[tuple[str, str], Sequence[CostEntry]]
) -> SaleResult | None:
    # What no entry shows, because its fill was not fetched, is not explained either.
    ids = {order.order_id, order.exchange_order_id or order.order_id}
    matching = [entry for id in ids for entry in entries.get((id, order.instrument_name), ())]
    known = [entry for entry in matching if entry.realised_usd is not None]
    if not known:
        return None
    explained = -sum((entry.change + entry.unexplained for entry in known), ZERO)
    return SaleResult(
        realised_usd=sum((entry.realised_usd for entry in known if entry.realised_usd is not None), ZERO),
        unexplained=max(ZERO, order.filled_quantity - explained),
    )


def _fees(trades: Iterable[Trade]) -> tuple[Decimal, dict[str, Decimal]]:
    # In dollars at the rates of the trades, and by currency those without a rate: positive was paid.
    total, unrated = ZERO, defaultdict[str, Decimal](Decimal)
    for trade in trades:
        if trade.fee_usd is not None:
            total -= trade.fee_usd
        else:
            unrated[trade.fee_currency] -= trade.fee
    return total, dict(unrated)


def _in_usd(coin: str, fee: Decimal, usd_prices: UsdPrices) -> Decimal | None:
    price = Decimal(1) if coin == USD else usd_prices.get(coin)
    return None if price is None else fee * price
