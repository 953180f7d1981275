"""How old our picture is: the age since the last complete sync, and what that age is called."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.conf import settings

from portfolio.status.stamps import Stamps, stamps_now


class Freshness(StrEnum):
    FRESH = "fresh"
    LATE = "late"
    OLD = "old"
    NEVER = "never"


LATE_AFTER = Decimal("1.5")
"""In sync intervals; up to here a picture is up to date."""
OLD_AFTER = 3
"""In sync intervals; beyond it figures are dimmed and no order form opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The last complete sync and the newest error; `age_seconds` is on the server's clock."""

    status: Freshness
    last_success: datetime | None
    age_seconds: int | None
    interval_seconds: int
    last_error: str | None

    @property
    def is_overdue(self) -> bool:
        """By its age alone: a newer cycle may have failed all the same."""
        return self.age_seconds is not None and self.age_seconds > LATE_AFTER * self.interval_seconds

    @property
    def old_after_seconds(self) -> int:
        """From this age on an open page calls itself old, also when nobody answers it any more."""
        return OLD_AFTER * self.interval_seconds


def sync_state(*, now: datetime, stamps: Stamps | None = None) -> SyncState:
    """One query, none with `stamps`. Its error is that of the newest cycle that has ended, if it was not complete."""
    read, interval = stamps or stamps_now(), settings.SYNC_INTERVAL_SECONDS
    age = age_seconds(read.success, now=now)
    return SyncState(
        status=freshness(age=age, interval=interval, troubled=read.is_troubled),
        last_success=read.success,
        age_seconds=age,
        interval_seconds=interval,
        last_error=_error_text(read) if read.is_troubled else None,
    )


def freshness(*, age: int | None, interval: int, troubled: bool) -> Freshness:
    """`troubled`: the newest cycle failed, wholly or in part, so that what we have is late at best."""
    if age is None:
        return Freshness.NEVER
    if age > OLD_AFTER * interval:
        return Freshness.OLD
    return Freshness.LATE if troubled or age > LATE_AFTER * interval else Freshness.FRESH


def age_seconds(moment: datetime | None, *, now: datetime) -> int | None:
    """Whole seconds since `moment`, never less than none: two machines' clocks may differ."""
    return None if moment is None else max(0, int((now - moment).total_seconds()))


def _error_text(stamps: Stamps) -> str:
    return "; ".join(map(str, stamps.errors)) or f"The last sync was not complete ({stamps.status})."
