"""Which instruments the desk keeps an eye on: those of the watchlist, of what is held and of what is bought back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from exchange.models import Instrument
from oco.models import Lot, OcoGroup
from oco.presentation.positions import pairs_of
from portfolio.models import Balance, WatchlistItem

LOOKED_BACK = timedelta(days=7)  # a group that closed is looked at for so long


def instruments_followed() -> tuple[str, ...]:
    """In the person's order, then the pair of each coin that is held, then what is bought back. Four queries.

    What the exchange's catalogue no longer has stays on the list and is not asked for.
    """
    gone = Instrument.objects.filter(tradable=False).values("symbol")
    watched = WatchlistItem.objects.exclude(instrument_name__in=gone)
    return tuple(
        dict.fromkeys([*watched.values_list("instrument_name", flat=True), *_held(), *_bought_back()])
    )


def instruments_charted(*, now: datetime) -> tuple[str, ...]:
    """Those, and what the open groups and those just closed are about. One query more."""
    recent = OcoGroup.objects.filter(Q(closed_at=None) | Q(closed_at__gt=now - LOOKED_BACK))
    grouped = recent.order_by("instrument_name").values_list("instrument_name", flat=True).distinct()
    return tuple(dict.fromkeys([*instruments_followed(), *grouped]))


def _held() -> Iterator[str]:
    """The first pair of each coin; cash is no position."""
    rows = Balance.objects.exclude(currency__in=settings.CASH_CURRENCIES).values_list("currency", "quantity")
    pairs = pairs_of([currency for currency, quantity in rows if quantity])
    for _, found in sorted(pairs.items()):
        yield from [pair.symbol for pair in found if pair.tradable][:1]


def _bought_back() -> list[str]:
    """Of a coin that is sold out no price stands beside the balance."""
    lots = Lot.objects.filter(closed_at=None, side=Lot.Side.SELL)
    return list(lots.order_by("instrument_name").values_list("instrument_name", flat=True).distinct())
