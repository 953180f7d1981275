"""Records what the account was worth, and thins what was recorded long ago."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from exchange.core.utils import to_ms
from exchange.schemas import AccountBalance
from portfolio.accounting.thinning import DAILY, HOURLY, Step, kept, ripe_before
from portfolio.accounting.valuation import Prices, total_of, worth_of
from portfolio.models import PortfolioSnapshot

Grain = PortfolioSnapshot.Grain
AT_ONCE = 500
STEPS = ((Grain.CYCLE, Grain.HOUR, HOURLY), (Grain.HOUR, Grain.DAY, DAILY))


def snapshot_value_record(*, balance: AccountBalance, prices: Prices, now: datetime) -> None:
    """One statement. Nothing is recorded while not one coin that is held has a price: unknown is not zero."""
    held = [position for position in balance.positions if position.quantity]
    values = {each.instrument_name: worth_of(each, prices).market_value_usd for each in held}
    total = total_of(list(values.values()))
    if total is None:
        return
    row = PortfolioSnapshot(
        at_ms=to_ms(now),
        total_usd=total,
        cash_usd=total_of([value for name, value in values.items() if name in settings.CASH_CURRENCIES]),
        unpriced=sorted(name for name, value in values.items() if value is None),
    )
    PortfolioSnapshot.objects.bulk_create(
        [row],
        update_conflicts=True,  # two readings within one millisecond: the later one
        unique_fields=["at_ms"],
        update_fields=["total_usd", "cash_usd", "unpriced"],
    )


def snapshot_thin(*, now: datetime, most: int = 20) -> int:
    """Thin what has become old enough, in at most `most` transactions; how many rows went.

    Days are thinned when no hour is left to be: else a day would keep the last of each part of it.
    """
    gone, now_ms = 0, to_ms(now)
    for _ in range(most):
        ripe = ((_stretch(grain, step, now_ms), later, step) for grain, later, step in STEPS)
        found = next((part for part in ripe if part[0]), None)
        if found is None:
            break
        gone += _thin(*found, now_ms)
    return gone


def _stretch(grain: str, step: Step, now_ms: int) -> list[int]:
    """The oldest ripe moments of `grain`, whole hours or days only."""
    rows = PortfolioSnapshot.objects.filter(grain=grain).order_by("at_ms")
    found = list(rows.filter(at_ms__lt=ripe_before(step, now_ms)).values_list("at_ms", flat=True)[:AT_ONCE])
    if len(found) < AT_ONCE:
        return found
    end = (found[-1] // step.width_ms + 1) * step.width_ms
    return list(rows.filter(at_ms__lt=end).values_list("at_ms", flat=True))


def _thin(moments: Sequence[int], next_grain: str, step: Step, now_ms: int) -> int:
    stay = kept(moments, step, now_ms)
    with transaction.atomic():
        PortfolioSnapshot.objects.filter(at_ms__in=stay).update(grain=next_grain)
        gone, _ = PortfolioSnapshot.objects.filter(at_ms__in=set(moments) - stay).delete()
    return gone
