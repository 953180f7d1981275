"""Past account values of a dry run, calculated from the trades and candles of the simulator.

The value of a real account is only recorded, never calculated for a time when nobody read it. What came in or left
without a trade is not known here; a balance that would have been negative ends the calculation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Min

from exchange.core.numbers import cents
from exchange.core.times import NS_PER_MS, Timeframe, to_ms
from exchange.models import Candle, Trade
from portfolio.accounting.cost_basis import compute_changes
from portfolio.accounting.pnl import is_history_complete
from portfolio.accounting.services import fill_of
from portfolio.accounting.valuation import ONE, USD
from portfolio.models import Balance, PortfolioSnapshot

Grain = PortfolioSnapshot.Grain
DAYS = timedelta(days=95)
STEPS = (
    (Timeframe.D1, Grain.DAY, DAYS),
    (Timeframe.H1, Grain.HOUR, timedelta(days=12)),
    (Timeframe.M15, Grain.CYCLE, timedelta(days=2)),
)
"""Candles, what their values are downsampled to, and how far back they are used: finer ones replace coarser ones."""
ZERO = Decimal(0)
BATCH_SIZE = 500
Amounts = Mapping[str, Decimal]
TimedChange = tuple[int, str, Decimal]


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of a candle (ms), with the closing prices in USD by currency."""

    at_ms: int
    grain: str
    prices: Amounts


@dataclass(frozen=True, slots=True)
class PastValue:
    at_ms: int
    grain: str
    total_usd: Decimal
    cash_usd: Decimal


def value_history_reconstruct(*, now: datetime) -> int:
    """Once in a dry run, when all trades and the candles of all their coins are stored: the values before the first
    recorded one. Returns how many; one query when there is nothing to do.
    """
    if settings.ENVIRONMENT != "DRY_RUN" or PortfolioSnapshot.objects.filter(is_reconstructed=True).exists():
        return 0
    first_ms = PortfolioSnapshot.objects.aggregate(first=Min("at_ms"))["first"]
    if first_ms is None or first_ms < to_ms(now - DAYS) or not is_history_complete():
        return 0
    held = dict(Balance.objects.values_list("currency", "quantity"))
    changes = _changes(since=now - DAYS)
    coins = {currency for _, currency, _ in changes} | {name for name, quantity in held.items() if quantity}
    moments = _moments(coins - {USD}, first_ms=first_ms, now=now)
    values = list(past_values(held=held, changes=changes, moments=moments, cash=settings.CASH_CURRENCIES))
    rows = [
        PortfolioSnapshot(
            at_ms=value.at_ms,
            total_usd=value.total_usd,
            cash_usd=value.cash_usd,
            grain=value.grain,
            is_reconstructed=True,
        )
        for value in values
    ]
    PortfolioSnapshot.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH_SIZE)
    return len(rows)


def past_values(
    *, held: Amounts, changes: list[TimedChange], moments: list[Moment], cash: list[str]
) -> Iterator[PastValue]:
    """From the newest moment back: what is held now without what was traded since. (pure)

    `changes` are (exchange time in ns, currency, amount). A moment without a price of a coin held then has no value.
    """
    quantities, undone = dict(held), sorted(changes, reverse=True)
    for moment in sorted(moments, key=lambda one: one.at_ms, reverse=True):
        while undone and undone[0][0] > moment.at_ms * NS_PER_MS:
            _, currency, amount = undone.pop(0)
            quantities[currency] = quantities.get(currency, ZERO) - amount
        owned = {currency: quantity for currency, quantity in quantities.items() if quantity}
        if any(quantity < 0 for quantity in owned.values()):
            return
        prices = {USD: ONE, **moment.prices}
        if owned.keys() <= prices.keys():
            worth = {currency: quantity * prices[currency] for currency, quantity in owned.items()}
            yield PastValue(
                at_ms=moment.at_ms,
                grain=moment.grain,
                total_usd=cents(sum(worth.values(), ZERO)),
                cash_usd=cents(sum((worth[name] for name in worth if name in cash), ZERO)),
            )


def _changes(*, since: datetime) -> list[TimedChange]:
    rows = Trade.objects.filter(create_time_ns__gt=to_ms(since) * NS_PER_MS)
    return [
        (row.create_time_ns, change.currency, change.quantity)
        for row in rows
        for change in compute_changes(fill_of(row), cash=())
    ]


def _moments(coins: set[str], *, first_ms: int, now: datetime) -> list[Moment]:
    """None while the daily candles of a coin are still to be read."""
    found: dict[int, Moment] = {}
    for timeframe, grain, span in STEPS:
        closes = _closes(coins, timeframe, since=now - span)
        if timeframe is Timeframe.D1 and len({name for prices in closes.values() for name in prices}) < len(
            coins
        ):
            return []
        found |= {at_ms: Moment(at_ms, grain, prices) for at_ms, prices in closes.items() if at_ms < first_ms}
    return list(found.values())


def _closes(coins: set[str], timeframe: Timeframe, *, since: datetime) -> dict[int, dict[str, Decimal]]:
    """By the last millisecond of a closed bar, and currency."""
    names = {f"{coin}_{USD}": coin for coin in coins}
    bars = Candle.objects.filter(
        instrument_name__in=names, timeframe=timeframe, opened_at__gte=since, is_closed=True
    )
    closes: dict[int, dict[str, Decimal]] = {}
    for name, opened_at, close in bars.order_by().values_list("instrument_name", "opened_at", "close"):
        closes.setdefault(to_ms(opened_at + timeframe.length) - 1, {})[names[name]] = close
    return closes
