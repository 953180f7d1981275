"""The equity curve: recorded account values, downsampled as they grow old, and read back as few points with gaps.

The value of a real account is only recorded, never calculated for a time when nobody read it. Those of a dry run are
calculated from the trades and candles of the simulator. What came in or left without a trade is not known there; a
balance that would have been negative ends the calculation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, F, Max, Min, Value

from exchange.core.numbers import cents
from exchange.core.times import EPOCH, NS_PER_MS, Timeframe, from_ms, to_ms
from exchange.models import Candle, Trade
from exchange.schemas import AccountBalance
from exchange.selectors import UsdPrices
from portfolio.accounting.cost_basis import compute_changes
from portfolio.accounting.pnl import is_history_complete
from portfolio.accounting.services import fill_of
from portfolio.accounting.valuation import ONE, USD, Prices, sum_known, value_position
from portfolio.models import Balance, BalanceChange, CoinDrift, PortfolioSnapshot

MS = timedelta(milliseconds=1)
HOUR_MS, DAY_MS = timedelta(hours=1) // MS, timedelta(days=1) // MS
Grain = PortfolioSnapshot.Grain
BATCH_SIZE = 500
MAX_POINTS = 500
CHART_POINTS = 120
SPANS: dict[str, timedelta | None] = {
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
    "1m": timedelta(days=30),
    "3m": timedelta(days=90),
    "all": None,
}
DEFAULT_SPAN = "1w"
GAP_FACTOR = Decimal("2.5")
"""A distance of this many usual intervals is a gap."""
NEAREST_WITHIN = timedelta(minutes=10)
DAY = timedelta(days=1)
HUNDRED = Decimal(100)
Point = tuple[datetime, Decimal | None]
RECONSTRUCTED = timedelta(days=95)
RECONSTRUCTION_STEPS = (
    (Timeframe.D1, Grain.DAY, RECONSTRUCTED),
    (Timeframe.H1, Grain.HOUR, timedelta(days=12)),
    (Timeframe.M15, Grain.CYCLE, timedelta(days=2)),
)
"""Candles, what their values are downsampled to, and how far back they are used: finer ones replace coarser ones."""
ZERO = Decimal(0)
Amounts = Mapping[str, Decimal]
TimedChange = tuple[int, str, Decimal]


@dataclass(frozen=True, slots=True)
class DownsamplingStep:
    """Values older than `age_ms` are reduced to one per `width_ms`, counted from the epoch in UTC."""

    age_ms: int
    width_ms: int


HOURLY = DownsamplingStep(2 * DAY_MS, HOUR_MS)
DAILY = DownsamplingStep(90 * DAY_MS, DAY_MS)
DOWNSAMPLING_STEPS = ((Grain.CYCLE, Grain.HOUR, HOURLY), (Grain.HOUR, Grain.DAY, DAILY))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePoint:
    """Account value at `at`, in USD; the coins in `unpriced` are in no total."""

    at: datetime
    total_usd: Decimal
    cash_usd: Decimal | None
    unpriced: tuple[str, ...]
    is_reconstructed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A chart: points with None at a gap, and the time of the last one that was reconstructed and not recorded."""

    points: tuple[Point, ...] = ()
    reconstructed_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Change of the account value since `since`, without `net_flows_usd`: what came in or left without a trade.

    `pct` is of the value then, with what came in since.
    """

    usd: Decimal
    pct: Decimal | None
    since: datetime
    net_flows_usd: Decimal


def downsample_before(step: DownsamplingStep, now_ms: int) -> int:
    """Where the last complete hour or day ends that is old enough."""
    return (now_ms - step.age_ms) // step.width_ms * step.width_ms


def select_kept(moments: Iterable[int], step: DownsamplingStep, now_ms: int) -> set[int]:
    """Of `moments` (ms) the last of each complete interval, and all that are too recent."""
    end = downsample_before(step, now_ms)
    last: dict[int, int] = {}
    recent = set()
    for moment in moments:
        if moment >= end:
            recent.add(moment)
        else:
            interval = moment // step.width_ms
            last[interval] = max(moment, last.get(interval, moment))
    return recent | set(last.values())


def snapshot_value_record(*, balance: AccountBalance, prices: Prices, now: datetime) -> None:
    """One query. Records nothing while no held coin has a price: unknown is not zero."""
    held = [position for position in balance.positions if position.quantity]
    values = {each.instrument_name: value_position(each, prices).market_value_usd for each in held}
    total = sum_known(list(values.values()))
    if total is None:
        return
    row = PortfolioSnapshot(
        at_ms=to_ms(now),
        total_usd=total,
        cash_usd=sum_known([value for name, value in values.items() if name in settings.CASH_CURRENCIES]),
        unpriced=sorted(name for name, value in values.items() if value is None),
    )
    PortfolioSnapshot.objects.bulk_create(
        [row],
        update_conflicts=True,  # two readings within one millisecond: the later one
        unique_fields=["at_ms"],
        update_fields=["total_usd", "cash_usd", "unpriced"],
    )


def snapshot_downsample(*, now: datetime, most: int = 20) -> int:
    """Downsample what is old enough, in at most `most` transactions; returns how many rows were deleted.

    Days only when no hour is left: otherwise a day would keep the last value of each part.
    """
    gone, now_ms = 0, to_ms(now)
    for _ in range(most):
        ripe = ((_next_batch(grain, step, now_ms), later, step) for grain, later, step in DOWNSAMPLING_STEPS)
        found = next((part for part in ripe if part[0]), None)
        if found is None:
            break
        gone += _downsample(*found, now_ms)
    return gone


def parse_span(given: Mapping[str, str]) -> str:
    """The span of the query parameter `range`; an unknown one gives the default."""
    asked = given.get("range", DEFAULT_SPAN).lower()
    return asked if asked in SPANS else DEFAULT_SPAN


def span_start(span: str, *, now: datetime) -> datetime:
    """Start of a named span; `all` starts before every value."""
    length = SPANS[span]
    return EPOCH if length is None else max(now, EPOCH + length) - length


def first_value_at(start: datetime, *, end: datetime) -> datetime:
    """The first value from `start` on, so that a short history fills the chart. One query."""
    rows = PortfolioSnapshot.objects.filter(at_ms__gte=to_ms(start), at_ms__lte=to_ms(end))
    first = rows.aggregate(first=Min("at_ms"))["first"]
    return end if first is None else from_ms(first)


def curve(span: str, *, now: datetime, most: int = CHART_POINTS) -> Curve:
    """The chart of a named span. Two queries."""
    start = first_value_at(span_start(span, now=now), end=now)
    values = values_between(start, now, most=most)
    return Curve(
        points=tuple(with_gaps(values, width=width_ms(start, now, most), now=now)),
        reconstructed_until=max((value.at for value in values if value.is_reconstructed), default=None),
    )


def values_between(start: datetime, end: datetime, *, most: int = MAX_POINTS) -> tuple[ValuePoint, ...]:
    """The last value of each of at most `most` equal intervals, oldest first. One query."""
    start_ms, width = to_ms(start), width_ms(start, end, most)
    rows = PortfolioSnapshot.objects.filter(at_ms__gte=start_ms, at_ms__lte=to_ms(end)).order_by()
    intervals = rows.annotate(interval=(F("at_ms") - start_ms) / width).values("interval")
    last = intervals.annotate(last=Max("at_ms")).values("last")
    return tuple(map(_value, PortfolioSnapshot.objects.filter(at_ms__in=last).order_by("at_ms")))


def width_ms(start: datetime, end: datetime, most: int) -> int:
    """Width of one of `most` intervals from `start` to `end`, both included."""
    return max(0, to_ms(end) - to_ms(start)) // most + 1


def with_gaps(values: Sequence[ValuePoint], *, width: int, now: datetime) -> Iterator[Point]:
    """Points of a curve, with None where a value is missing between two."""
    before: ValuePoint | None = None
    for value in values:
        if before is not None and _is_gap(before, value.at, width=width, now=now):
            yield before.at + (value.at - before.at) / 2, None
        yield value.at, value.total_usd
        before = value


def change_24h(
    total: Decimal | None,
    *,
    unpriced: Sequence[str],
    read_at: datetime | None,
    usd_prices: UsdPrices,
) -> Change | None:
    """Change against the value nearest to 24 hours earlier, if one is near and values the same coins. Two queries."""
    if total is None or read_at is None:
        return None
    wanted, near = to_ms(read_at - DAY), to_ms(read_at - DAY + _nearest_within()) - to_ms(read_at - DAY)
    rows = list(PortfolioSnapshot.objects.filter(at_ms__gte=wanted - near, at_ms__lte=wanted + near))
    found = min(rows, key=lambda row: (abs(row.at_ms - wanted), row.at_ms), default=None)
    if found is None or sorted(found.unpriced) != sorted(unpriced):
        return None
    # A change that was first read in the cycle of `found` is in its value: the next one begins later.
    next_ms = min((row.at_ms for row in rows if row.at_ms > found.at_ms), default=found.at_ms + near)
    flows = cents(net_flows(found.at, first_ms=next_ms, usd_prices=usd_prices))
    change, invested = total - found.total_usd - flows, found.total_usd + max(flows, Decimal())
    pct = cents(change / invested * HUNDRED) if invested > 0 else None
    return Change(usd=change, pct=pct, since=found.at, net_flows_usd=flows)


def net_flows(since: datetime, *, first_ms: int, usd_prices: UsdPrices) -> Decimal:
    """What came in (positive) or left without a trade since then, in USD at that time. One query.

    A change counts from its first reading, at `first_ms` or later, its reversal from when that was confirmed. One that
    no second reading has confirmed yet is in the balances and counts at the present price; of a trade whose fill is
    late, both sides are among them.
    """
    columns = ("currency", "change", "price_usd", "since_ns", "is_reversal")
    confirmed = BalanceChange.objects.filter(recorded_at__gt=since).order_by().values_list(*columns)
    seen = CoinDrift.objects.filter(seen_ns__isnull=False, known__isnull=False).order_by()
    pending = seen.values_list("currency", "seen", "known", "seen_ns", Value(None, BooleanField()))
    total = Decimal()
    for currency, amount, other, at_ns, is_reversal in confirmed.union(pending, all=True):
        if is_reversal is None:
            total += (amount - other) * usd_prices.get(currency, Decimal())
        elif other is not None and (is_reversal or at_ns >= first_ms * NS_PER_MS):
            total += amount * other
    return total


def _next_batch(grain: str, step: DownsamplingStep, now_ms: int) -> list[int]:
    # The oldest moments of `grain` that are old enough, complete hours or days only.
    rows = PortfolioSnapshot.objects.filter(grain=grain).order_by("at_ms")
    found = list(
        rows.filter(at_ms__lt=downsample_before(step, now_ms)).values_list("at_ms", flat=True)[:BATCH_SIZE]
    )
    if len(found) < BATCH_SIZE:
        return found
    end = (found[-1] // step.width_ms + 1) * step.width_ms
    return list(rows.filter(at_ms__lt=end).values_list("at_ms", flat=True))


def _downsample(moments: Sequence[int], next_grain: str, step: DownsamplingStep, now_ms: int) -> int:
    stay = select_kept(moments, step, now_ms)
    with transaction.atomic():
        PortfolioSnapshot.objects.filter(at_ms__in=stay).update(grain=next_grain)
        gone, _ = PortfolioSnapshot.objects.filter(at_ms__in=set(moments) - stay).delete()
    return gone


def _nearest_within() -> timedelta:
    return max(NEAREST_WITHIN, timedelta(seconds=settings.SYNC_INTERVAL_SECONDS))


def _value(row: PortfolioSnapshot) -> ValuePoint:
    return ValuePoint(
        at=row.at,
        total_usd=row.total_usd,
        cash_usd=row.cash_usd,
        unpriced=tuple(row.unpriced),
        is_reconstructed=row.is_reconstructed,
    )


def _is_gap(before: ValuePoint, at: datetime, *, width: int, now: datetime) -> bool:
    # Downsampled values are further apart without one being missing, and so are those of daily candles.
    age = to_ms(now) - to_ms(before.at)
    usual = DAY_MS if before.is_reconstructed else settings.SYNC_INTERVAL_SECONDS * 1000
    if age > HOURLY.age_ms:
        usual = max(usual, HOUR_MS)
    if age > DAILY.age_ms:
        usual = max(usual, DAY_MS)
    return to_ms(at) - to_ms(before.at) > GAP_FACTOR * max(usual, width)


# Past account values of a dry run


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
    if first_ms is None or first_ms < to_ms(now - RECONSTRUCTED) or not is_history_complete():
        return 0
    held = dict(Balance.objects.values_list("currency", "quantity"))
    changes = _changes(since=now - RECONSTRUCTED)
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
    for timeframe, grain, span in RECONSTRUCTION_STEPS:
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
