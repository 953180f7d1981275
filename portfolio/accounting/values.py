"""Reading the recorded value over time: few points, however much was recorded, and a gap stays a gap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import F, Max, Min

from exchange.core.utils import EPOCH, from_ms, to_ms
from portfolio.accounting.thinning import DAILY, DAY_MS, HOUR_MS, HOURLY
from portfolio.models import PortfolioSnapshot

POINTS = 500
DRAWN = 120
SPANS: dict[str, timedelta | None] = {
    "1d": timedelta(days=1),
    "1w": timedelta(days=7),
    "1m": timedelta(days=30),
    "3m": timedelta(days=90),
    "all": None,
}
USUAL = "1w"
LATE = Decimal("2.5")
"""So many times the usual distance between two values is a gap."""
NEAR = timedelta(minutes=10)
DAY = timedelta(days=1)
HUNDRED = Decimal(100)


Point = tuple[datetime, Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What the account was worth at `at`, in USD; `unpriced` is in no total."""

    at: datetime
    total_usd: Decimal
    cash_usd: Decimal | None
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Against `since`. Deposits and withdrawals are in it: this account's key cannot read them."""

    usd: Decimal
    pct: Decimal | None
    since: datetime


def span_of(given: Mapping[str, str]) -> str:
    """The span that an address asks for in `range`; one that we do not know is the usual one."""
    asked = given.get("range", USUAL).lower()
    return asked if asked in SPANS else USUAL


def span_start(span: str, *, now: datetime) -> datetime:
    """Where a named span begins; `all` begins before every value."""
    length = SPANS[span]
    return EPOCH if length is None else max(now, EPOCH + length) - length


def first_after(start: datetime, *, end: datetime) -> datetime:
    """The first value from `start` on: a young desk's few values are not pressed into one stretch. One query."""
    rows = PortfolioSnapshot.objects.filter(at_ms__gte=to_ms(start), at_ms__lte=to_ms(end))
    first = rows.aggregate(first=Min("at_ms"))["first"]
    return end if first is None else from_ms(first)


def curve(span: str, *, now: datetime, most: int = DRAWN) -> tuple[Point, ...]:
    """The value over a named span, with its gaps, to be drawn. Two queries."""
    start = first_after(span_start(span, now=now), end=now)
    values = values_between(start, now, most=most)
    return tuple(with_gaps(values, width=width_ms(start, now, most), now=now))


def values_between(start: datetime, end: datetime, *, most: int = POINTS) -> tuple[Value, ...]:
    """The last value of each of at most `most` equal stretches, oldest first. One query."""
    start_ms, width = to_ms(start), width_ms(start, end, most)
    rows = PortfolioSnapshot.objects.filter(at_ms__gte=start_ms, at_ms__lte=to_ms(end)).order_by()
    stretches = rows.annotate(stretch=(F("at_ms") - start_ms) / width).values("stretch")
    last = stretches.annotate(last=Max("at_ms")).values("last")
    return tuple(map(_value, PortfolioSnapshot.objects.filter(at_ms__in=last).order_by("at_ms")))


def width_ms(start: datetime, end: datetime, most: int) -> int:
    """Of `most` stretches that reach from `start` to `end`, both included."""
    return max(0, to_ms(end) - to_ms(start)) // most + 1


def with_gaps(values: Sequence[Value], *, width: int, now: datetime) -> Iterator[Point]:
    """Points of a curve; None where a value is missing between two."""
    before: Value | None = None
    for value in values:
        if before is not None and _is_gap(before.at, value.at, width=width, now=now):
            yield before.at + (value.at - before.at) / 2, None
        yield value.at, value.total_usd
        before = value


def change_24h(total: Decimal | None, *, unpriced: Sequence[str], read_at: datetime | None) -> Change | None:
    """From the value nearest to 24 hours before the reading, if one is near and counts the same coins. One query."""
    if total is None or read_at is None:
        return None
    wanted, near = to_ms(read_at - DAY), to_ms(read_at - DAY + _near()) - to_ms(read_at - DAY)
    rows = PortfolioSnapshot.objects.filter(at_ms__gte=wanted - near, at_ms__lte=wanted + near)
    found = min(rows, key=lambda row: (abs(row.at_ms - wanted), row.at_ms), default=None)
    if found is None or sorted(found.unpriced) != sorted(unpriced):
        return None
    change = total - found.total_usd
    pct = (change / found.total_usd * HUNDRED).quantize(Decimal("0.01")) if found.total_usd > 0 else None
    return Change(usd=change, pct=pct, since=found.at)


def _near() -> timedelta:
    return max(NEAR, timedelta(seconds=settings.SYNC_INTERVAL_SECONDS))


def _value(row: PortfolioSnapshot) -> Value:
    return Value(at=row.at, total_usd=row.total_usd, cash_usd=row.cash_usd, unpriced=tuple(row.unpriced))


def _is_gap(before: datetime, at: datetime, *, width: int, now: datetime) -> bool:
    """Old values are thinned, so that they lie further apart without one missing."""
    age = to_ms(now) - to_ms(before)
    usual = settings.SYNC_INTERVAL_SECONDS * 1000
    if age > HOURLY.age_ms:
        usual = max(usual, HOUR_MS)
    if age > DAILY.age_ms:
        usual = max(usual, DAY_MS)
    return to_ms(at) - to_ms(before) > LATE * max(usual, width)
