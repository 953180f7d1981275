"""What every template knows.

How old each source is: the desk says the worst on top and all of them at the foot.

What stands around every page: how old the picture is, what needs the person, where one can go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.models import ExchangeOrder
from exchange.selectors import OrderRow, orders_executed
from oco.presentation.positions import Overview
from portfolio.alerts.selectors import AlertsShown, alerts_shown
from portfolio.dashboard.selectors import Dashboard, overview_now
from portfolio.security.access import may_read
from portfolio.signals.selectors import EVERY
from portfolio.status.sync_status import (
    Freshness,
    Stamps,
    SyncState,
    age_seconds,
    freshness,
    stamps_now,
    sync_state,
)
from portfolio.status.trading_mode import mode_now
from portfolio.templatetags.labels import instrument, words
from portfolio.web.attention import Heed, Trouble, heed_of, troubles
from portfolio.web.live import revision
from portfolio.web.preferences import display_now


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


PAGES: tuple[tuple[str, Promise, str], ...] = (
    ("home", _("Dashboard"), "layout-dashboard"),
    ("protection", _("Protection"), "shield"),
    ("orders", _("Orders"), "list"),
    ("signals", _("Signals"), "activity"),
    ("portfolio", _("Portfolio"), "chart-pie"),
    ("history", _("History"), "history"),
    ("watchlist", _("Watchlist"), "star"),
    ("alerts", _("Alerts"), "bell"),
    ("audit", _("Audit log"), "scroll-text"),
)
TABS = 4
"""So many stand at the bottom of a narrow screen; the rest is behind "More". A wide one shows two more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry of the menu. `here`: the page that is open, or one below it."""

    name: str
    label: Promise
    icon: str
    address: str
    here: bool


class Frame:
    """Read when a template asks for it, and once. Nothing of it is for who may not read.

    `stamps` of a page that reads for itself are from before it did: what changes meanwhile is asked for once more.
    """

    def __init__(
        self, request: HttpRequest, desk: Dashboard | None = None, *, stamps: Stamps | None = None
    ) -> None:
        self.request, self.desk, self._stamps = request, desk, stamps

    @cached_property
    def is_open(self) -> bool:
        """Whether this person may see anything of the account."""
        return may_read(self.request)

    @cached_property
    def now(self) -> datetime:
        return self.desk.as_of if self.desk else timezone.now()

    @cached_property
    def sync(self) -> SyncState:
        return self.desk.sync if self.desk else sync_state(now=self.now, stamps=self.stamps)

    @cached_property
    def stamps(self) -> Stamps:
        return self.desk.stamps if self.desk else self._stamps or stamps_now()

    @cached_property
    def attention(self) -> int:
        """How many positions and buy-backs lack something."""
        return len(self.troubles)

    @cached_property
    def troubles(self) -> Sequence[Trouble]:
        shown: Dashboard | Overview = self.desk or overview_now(now=self.now)
        return troubles(shown.positions, shown.buybacks)

    @cached_property
    def heed(self) -> Heed | None:
        return heed_of(self.troubles)

    @cached_property
    def alerts(self) -> AlertsShown:
        return alerts_shown()

    @cached_property
    def sources(self) -> Sequence[Source]:
        return sources_of(self.stamps, now=self.now)

    @cached_property
    def last_fill(self) -> str:
        """The newest executed order in words, for who hears the page instead of seeing it."""
        orders = self.desk.executed_orders if self.desk else orders_executed()[:1]
        return next((_fill_words(order) for order in orders), "")

    @cached_property
    def revision(self) -> str:
        return revision(stamps=self.stamps, status=self.sync.status)

    @cached_property
    def links(self) -> list[Link]:
        return list(_links(self.request.path))

    @property
    def tabs(self) -> list[Link]:
        return self.links[:TABS]

    @property
    def more(self) -> list[Link]:
        return self.links[TABS:]

    @property
    def rest(self) -> list[Link]:
        """What neither the header nor the bottom of the page shows by name."""
        return self.links[TABS + 2 :]

    @property
    def more_is_here(self) -> bool:
        return any(link.here for link in self.more)


def _fill_words(order: OrderRow | ExchangeOrder) -> str:
    name, what = instrument(order.instrument_name), words(order.side)
    return gettext("Filled: %(side)s %(name)s.") % {"side": what, "name": name}


def _links(path: str) -> Iterator[Link]:
    for name, label, icon in PAGES:
        address = reverse(name)
        here = path == address if address == "/" else path.startswith(address)
        yield Link(name=name, label=label, icon=icon, address=address, here=here)


def desk(request: HttpRequest) -> dict[str, Any]:
    """The mode for the strip and the title, and what stands around the page. Nothing is read before it is used.

    Alerts are written once, in the language of the settings, whatever the page around them speaks.
    """
    return {
        "trading_mode": SimpleLazyObject(mode_now),
        "frame": Frame(request),
        "display": display_now(),
        "version": settings.VERSION,
        "time_zone": settings.TIME_ZONE,
        "alert_language": settings.LANGUAGE_CODE,
    }
