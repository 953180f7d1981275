"""How old each source is: the desk says the worst on top and all of them at the foot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portfolio.signals.selectors import EVERY
from portfolio.status.freshness import Freshness, age_seconds, freshness
from portfolio.status.stamps import Stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read, when, and what that age is called."""

    label: Promise
    read_at: datetime | None
    status: Freshness


def sources_of(stamps: Stamps, *, now: datetime) -> Sequence[Source]:
    return [
        _source(_("Balances"), stamps.balance, now),
        _source(_("Orders"), stamps.success, now),
        _source(_("Signals"), stamps.signals, now, interval=int(EVERY.total_seconds())),
    ]


def _source(
    label: Promise, read_at: datetime | None, now: datetime, *, interval: int | None = None
) -> Source:
    age = age_seconds(read_at, now=now)
    status = freshness(age=age, interval=interval or settings.SYNC_INTERVAL_SECONDS, troubled=False)
    return Source(label=label, read_at=read_at, status=status)
