"""The context of every page: age of the data, what needs attention, menu."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from exchange.models import ExchangeOrder
from exchange.selectors import OrderRow, orders_executed
from oco.engine.coverage import RANK, CoverageStatus
from oco.presentation.positions import BuyBack, Overview, Position
from portfolio.alerts.selectors import AlertSummary, alert_summary
from portfolio.dashboard.selectors import Dashboard, load_overview
from portfolio.formatting import code_label, instrument_label
from portfolio.security.access import may_read
from portfolio.signals.selectors import COMPUTE_INTERVAL
from portfolio.status.sync_status import (
    Freshness,
    LastModified,
    SyncState,
    age_seconds,
    freshness,
    load_last_modified,
    sync_state,
)
from portfolio.status.trading_mode import Trading, current_mode
from portfolio.web.actions import Actions, request_trading
from portfolio.web.live import revision
from portfolio.web.preferences import current_preferences

ZERO = Decimal(0)
ALARM_COVERAGE = frozenset({CoverageStatus.STOP_FAILED, CoverageStatus.UNKNOWN})
NEEDS_ATTENTION = ALARM_COVERAGE | {CoverageStatus.UNPROTECTED, CoverageStatus.PARTLY}
MENU_PAGES: tuple[tuple[str, Promise, str], ...] = (
    ("home", _("Dashboard"), "layout-dashboard"),
    ("protection", _("Protection"), "shield"),
    ("orders", _("Orders"), "list"),
    ("signals", _("Signals"), "activity"),
    ("portfolio", _("Portfolio"), "chart-pie"),
    ("history", pgettext_lazy("page", "History"), "history"),
    ("watchlist", _("Watchlist"), "star"),
    ("alerts", _("Alerts"), "bell"),
    ("audit", _("Audit log"), "scroll-text"),
)
BOTTOM_TABS = 4
"""Entries in the bottom bar of a narrow screen; the rest is in "More". A wide screen shows two more."""


# The banner above every page: which positions and buy-backs need attention, and their value without a stop


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """A position or a buy-back that needs attention. `exposed_usd`: coins without a stop, at known prices."""

    currency: str
    coverage_status: CoverageStatus
    exposed_usd: Decimal = ZERO
    is_buyback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionBanner:
    """`others`: how many more than `worst` need attention. `exposed_usd` is the total at known prices."""

    worst: AttentionItem
    others: int
    exposed_usd: Decimal

    @property
    def is_alarm(self) -> bool:
        """A stop that should be open is missing or not confirmed: shown on every page."""
        return self.worst.coverage_status in ALARM_COVERAGE


def attention_items(positions: Sequence[Position], buybacks: Sequence[BuyBack]) -> list[AttentionItem]:
    """The worst first; a position before a buy-back of the same status."""
    held = [
        AttentionItem(
            currency=position.coverage.currency,
            coverage_status=position.coverage.coverage_status,
            exposed_usd=position.coverage.unprotected_usd or ZERO,
        )
        for position in positions
    ]
    sold = [
        AttentionItem(currency=row.base, coverage_status=row.coverage_status, is_buyback=True)
        for row in buybacks
    ]
    found = [one for one in (*held, *sold) if one.coverage_status in NEEDS_ATTENTION]
    return sorted(found, key=lambda one: (RANK[one.coverage_status], one.is_buyback))


def build_attention_banner(found: Sequence[AttentionItem]) -> AttentionBanner | None:
    if not found:
        return None
    exposed = sum((one.exposed_usd for one in found), ZERO)
    return AttentionBanner(worst=found[0], others=len(found) - 1, exposed_usd=exposed)


# The context


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """One kind of data, when it was read, and the name of that age."""

    label: Promise
    read_at: datetime | None
    status: Freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One entry of the menu. `is_current`: this page, or one below it, is open."""

    name: str
    label: Promise
    icon: str
    url: str
    is_current: bool


class PageContext:
    """Loaded when a template uses it, and once. Nothing is shown to users who may not read.

    `last_modified` of a page with queries of its own is from before them, so that later changes count as new.
    """

    def __init__(
        self,
        request: HttpRequest,
        dashboard: Dashboard | None = None,
        *,
        last_modified: LastModified | None = None,
    ) -> None:
        self.request, self.dashboard, self._last_modified = request, dashboard, last_modified

    @cached_property
    def is_open(self) -> bool:
        """Whether this user may see anything of the account."""
        return may_read(self.request)

    @cached_property
    def now(self) -> datetime:
        return self.dashboard.as_of if self.dashboard else timezone.now()

    @cached_property
    def sync(self) -> SyncState:
        return (
            self.dashboard.sync
            if self.dashboard
            else sync_state(now=self.now, last_modified=self.last_modified)
        )

    @cached_property
    def last_modified(self) -> LastModified:
        return self.dashboard.last_modified if self.dashboard else self._last_modified or load_last_modified()

    @cached_property
    def trading(self) -> Trading:
        return self.dashboard.trading if self.dashboard else request_trading(self.request)

    @cached_property
    def actions(self) -> Actions:
        """What this user may do now."""
        return Actions(self)

    @cached_property
    def attention(self) -> int:
        """How many positions and buy-backs need attention."""
        return len(self.attention_items)

    @cached_property
    def attention_items(self) -> Sequence[AttentionItem]:
        shown: Dashboard | Overview = self.dashboard or load_overview(now=self.now)
        return attention_items(shown.positions, shown.buybacks)

    @cached_property
    def attention_banner(self) -> AttentionBanner | None:
        return build_attention_banner(self.attention_items)

    @cached_property
    def alerts(self) -> AlertSummary:
        return alert_summary(self.request.user, exposed_usd=lambda: self.exposed_usd)

    @property
    def exposed_usd(self) -> dict[str, Decimal]:
        """Value without a stop, by coin."""
        return {item.currency: item.exposed_usd for item in self.attention_items}

    @cached_property
    def sources(self) -> Sequence[DataSource]:
        return data_sources(self.last_modified, now=self.now)

    @cached_property
    def last_fill(self) -> str:
        """The newest executed order as text, for screen readers."""
        orders = self.dashboard.executed_orders if self.dashboard else orders_executed()[:1]
        return next((_fill_words(order) for order in orders), "")

    @cached_property
    def revision(self) -> str:
        return revision(last_modified=self.last_modified, sync=self.sync)

    @cached_property
    def links(self) -> list[Link]:
        return list(_links(self.request.path))

    @property
    def tabs(self) -> list[Link]:
        return self.links[:BOTTOM_TABS]

    @property
    def more(self) -> list[Link]:
        return self.links[BOTTOM_TABS:]

    @property
    def rest(self) -> list[Link]:
        """Pages that neither header nor bottom bar show."""
        return self.links[BOTTOM_TABS + 2 :]

    @property
    def is_current_in_more(self) -> bool:
        return any(link.is_current for link in self.more)


def data_sources(last_modified: LastModified, *, now: datetime) -> Sequence[DataSource]:
    return [
        _data_source(_("Balances"), last_modified.balance, now),
        _data_source(_("Orders"), last_modified.success, now),
        _data_source(
            _("Signals"), last_modified.signals, now, interval=int(COMPUTE_INTERVAL.total_seconds())
        ),
    ]


def site_context(request: HttpRequest) -> dict[str, Any]:
    """Trading mode, page context, preferences. Nothing is loaded before it is used. `now`: a filter of a template
    cannot be given a name that a page does not know.

    `alert_language` is that of alerts which earlier versions stored as texts.
    """
    return {
        "trading_mode": SimpleLazyObject(lambda: current_mode(request_trading(request))),
        "page_context": PageContext(request),
        "preferences": current_preferences(),
        "now": timezone.now(),
        "version": settings.VERSION,
        "time_zone": settings.TIME_ZONE,
        "alert_language": settings.LANGUAGE_CODE,
    }


def _data_source(
    label: Promise, read_at: datetime | None, now: datetime, *, interval: int | None = None
) -> DataSource:
    age = age_seconds(read_at, now=now)
    status = freshness(age=age, interval=interval or settings.SYNC_INTERVAL_SECONDS, is_failing=False)
    return DataSource(label=label, read_at=read_at, status=status)


def _fill_words(order: OrderRow | ExchangeOrder) -> str:
    name, what = instrument_label(order.instrument_name), code_label(order.side)
    return gettext("Filled: %(side)s %(name)s.") % {"side": what, "name": name}


def _links(path: str) -> Iterator[Link]:
    for name, label, icon in MENU_PAGES:
        url = reverse(name)
        is_current = path == url if url == "/" else path.startswith(url)
        yield Link(name=name, label=label, icon=icon, url=url, is_current=is_current)
