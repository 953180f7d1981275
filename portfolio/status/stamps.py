"""When each thing that the desk shows last changed: one query for all of them."""

from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Subquery

from exchange.models import Heartbeat, SyncRun, TradingSwitch
from oco.models import OcoGroup
from portfolio.models import Alert, Balance, WatchlistItem

SIGNALS = "signals"
"""The name of the heartbeat that says when signals were last computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """Of the newest cycle that has ended, its number, end and errors; of everything else a moment or None."""

    id: int | None = None
    status: str = ""
    errors: list[str] = field(default_factory=list)
    success: datetime | None = None
    balance: datetime | None = None
    signals: datetime | None = None
    watchlist: datetime | None = None
    switch: datetime | None = None
    alert: datetime | None = None
    acknowledged: datetime | None = None
    group: datetime | None = None
    cancel: datetime | None = None

    @property
    def is_troubled(self) -> bool:
        """The newest cycle failed, wholly or in part."""
        return self.id is not None and self.status != SyncRun.Status.OK

    def words(self) -> str:
        return " ".join(map(str, astuple(self)))


def stamps_now() -> Stamps:
    """One query. Before the first cycle has ended there is nothing to tell."""
    ended = SyncRun.objects.exclude(status=SyncRun.Status.RUNNING).order_by("-started_at", "-id")
    row = ended.values("id", "status", "errors", **_moments()).first()
    return Stamps(**row) if row else Stamps()


def _moments() -> dict[str, Subquery]:
    complete = SyncRun.objects.filter(status=SyncRun.Status.OK, finished_at__isnull=False)
    groups = OcoGroup.objects.filter(closed_at=None)
    return {
        "success": _newest(complete, "finished_at"),
        "balance": _newest(Balance.objects.all(), "read_at"),
        "signals": _newest(Heartbeat.objects.filter(name=SIGNALS), "beat_at"),
        "watchlist": _newest(WatchlistItem.objects.all(), "changed_at"),
        "switch": _newest(TradingSwitch.objects.all(), "changed_at"),
        "alert": _newest(Alert.objects.all(), "raised_at"),
        "acknowledged": _newest(Alert.objects.exclude(acknowledged_at=None), "acknowledged_at"),
        "group": _newest(groups, "created_at"),
        "cancel": _newest(groups.exclude(cancel_requested_at=None), "cancel_requested_at"),
    }


def _newest(rows: QuerySet[Any], moment: str) -> Subquery:
    return Subquery(rows.order_by(F(moment).desc()).values(moment)[:1])
