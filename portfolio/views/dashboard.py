"""The dashboard page: key figures, coverage and allocation bars, and one line per position and buy-back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from exchange.core.numbers import cents, complete_sum
from oco.engine.coverage import CoinCoverage, CoverageStatus, Unprotected
from oco.engine.pricing import ExitSide
from oco.engine.states import FAILED, REMOVAL_REQUESTED, UNPROTECTED, State
from oco.presentation.positions import BuyBack, Position
from oco.selectors import GroupRow
from portfolio.accounting.equity_curve import SPANS, parse_span
from portfolio.accounting.pnl import CoinResult
from portfolio.dashboard.selectors import Dashboard, Holding, load_dashboard
from portfolio.security.access import read_access_required
from portfolio.status.kept import Kept, Made
from portfolio.status.sync_status import LastModified, load_last_modified, sync_state
from portfolio.views.simulator import simulator_context
from portfolio.web.charts import CASH, OTHERS, Slice, coin_colour, divide_bar
from portfolio.web.live import KeptPanels, Panel, revision
from portfolio.web.page_context import PageContext
from portfolio.web.preferences import current_preferences

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
COINS_SHOWN = 5
COVERAGE_LABELS = {
    "f-ok": gettext_lazy("Protected"),
    "f-crit": gettext_lazy("Stop failed"),
    "f-warn": gettext_lazy("Unprotected"),
    "f-wait": gettext_lazy("Pending"),
}
FALL_RATIO = Decimal("0.1")
MAX_LADDERS = 2
CSS_CLASSES = {
    CoverageStatus.STOP_FAILED: "is-crit",
    CoverageStatus.UNKNOWN: "is-crit",
    CoverageStatus.UNPROTECTED: "is-warn",
    CoverageStatus.PARTLY: "is-warn",
}
SHOWN_COVERAGE = frozenset({CoverageStatus.UNPROTECTED, CoverageStatus.PARTLY})
ORDERS_SHOWN = 8
SIGNALS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardFigures:
    """In USD; None is unknown."""

    cash_free: Decimal | None
    unrealised_pct: Decimal | None
    results_known: int
    results_unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`unprotected_usd` of `total_usd` has no working stop; what has no price is not counted."""

    total_usd: Decimal
    unprotected_usd: Decimal
    slices: list[Slice]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLadder:
    """One group as a price ladder. Prices are in the quote currency; `now` is None when unknown."""

    group: GroupRow
    now: Decimal | None
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalStop:
    """An external stop, and the take profit linked to it, as a price ladder."""

    stop: Decimal
    target: Decimal | None
    now: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """`result_at_stop` and `result_at_target` of the protected part against cost, `max_loss_usd` of it from the current
    price to the stop, in USD, None when unknown; `is_limited`: every coin of it has a stop.
    """

    coverage: CoinCoverage
    css_class: str
    value_usd: Decimal | None
    result: CoinResult
    ladders: tuple[GroupLadder, ...]
    external_stops: tuple[ExternalStop, ...]
    more: int
    price_decimals: int | None
    quantity_decimals: int | None
    result_at_stop: Decimal | None
    result_at_target: Decimal | None
    max_loss_usd: Decimal | None
    is_limited: bool
    fall_usd: Decimal | None

    @property
    def group(self) -> GroupRow | None:
        return self.ladders[0].group if self.ladders else None

    @property
    def may_be_protected(self) -> bool:
        return self.coverage.may_be_protected

    @property
    def to_protect(self) -> Decimal:
        """The quantity that is in no group."""
        return sum((row.quantity for row in self.coverage.unprotected_parts if row.is_unallocated), ZERO)

    @property
    def needs_fix(self) -> bool:
        return self.coverage.coverage_status is CoverageStatus.STOP_FAILED and self.group is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyBackLine:
    """`now` is the price in the quote currency, `quote_usd` the price of that currency in USD. `failed`: no stop is
    open. Results count from the sale, before fees, in USD; None when unknown.
    """

    row: BuyBack
    css_class: str
    now: Decimal | None
    quote_usd: Decimal | None
    failed: bool

    @property
    def exit_side(self) -> ExitSide:
        return ExitSide.BUY

    @property
    def coverage_status(self) -> CoverageStatus | None:
        """Only where it says more than the state of the group."""
        if self.row.group.shown_state == REMOVAL_REQUESTED:
            return None
        return self.row.coverage_status if self.row.coverage_status in SHOWN_COVERAGE else None

    @property
    def result_usd(self) -> Decimal | None:
        """If it were bought back at the current price."""
        return self._result(self.now)

    @property
    def result_pct(self) -> Decimal | None:
        entry = self.row.group.entry_price
        return (entry - self.now) / entry * HUNDRED if entry and self.now is not None else None

    @property
    def result_at_stop(self) -> Decimal | None:
        return self._result(self.row.group.stop_price)

    @property
    def result_at_target(self) -> Decimal | None:
        return self._result(self.row.group.take_profit_price)

    def _result(self, price: Decimal | None) -> Decimal | None:
        entry = self.row.group.entry_price
        if price is None or entry is None or self.quote_usd is None:
            return None
        return (entry - price) * self.row.quantity * self.quote_usd


def dashboard_figures(dashboard: Dashboard) -> DashboardFigures:
    known = [one for one in dashboard.results.values() if one.unrealised_usd is not None]
    cash, reserved = dashboard.summary.cash_usd, dashboard.summary.cash_in_orders_usd
    return DashboardFigures(
        cash_free=None if cash is None else cash - (reserved or Decimal()),
        unrealised_pct=_percent(dashboard),
        results_known=len(known),
        results_unknown=dashboard.summary.unrealised_unknown,
    )


def coverage(dashboard: Dashboard) -> Coverage | None:
    """None while nothing that is held has a price."""
    price = {row.currency: row.price_usd or ZERO for row in dashboard.portfolio}
    value_by_class = dict.fromkeys(("f-ok", "f-crit", "f-warn", "f-wait"), ZERO)
    for position in dashboard.positions:
        coverage = position.coverage
        value_by_class["f-ok"] += coverage.protected * price.get(coverage.currency, ZERO)
        for row in coverage.unprotected_parts:
            value_by_class[_css_class(row)] += row.market_value_usd or ZERO
    total = sum(value_by_class.values(), ZERO)
    parts = [
        (str(COVERAGE_LABELS[css_class]), css_class, value) for css_class, value in value_by_class.items()
    ]
    if not total:
        return None
    unprotected_usd = dashboard.summary.unprotected_usd or ZERO
    return Coverage(total_usd=total, unprotected_usd=unprotected_usd, slices=divide_bar(parts))


def allocation(holdings: Sequence[Holding]) -> list[Slice]:
    """The largest coins, the rest of them, and cash, by value."""
    coins = [row for row in holdings if row.currency not in settings.CASH_CURRENCIES and row.market_value_usd]
    cash = [row for row in holdings if row.currency in settings.CASH_CURRENCIES]
    shown = [(row.currency, coin_colour(row.place), row.market_value_usd or ZERO) for row in coins]
    parts, rest = shown[:COINS_SHOWN], shown[COINS_SHOWN:]
    if rest:
        *parts, last = parts
        rest = [last, *rest]
        parts.append((_("Other coins"), OTHERS, sum((value for *_rest, value in rest), ZERO)))
    return divide_bar([*parts, (_("Cash"), CASH, sum((row.market_value_usd or ZERO for row in cash), ZERO))])


def position_lines(dashboard: Dashboard) -> list[PositionLine]:
    """In the order of the positions: worst first."""
    held = {row.currency: row for row in dashboard.portfolio}
    usd = {row.currency: row.price_usd for row in dashboard.portfolio if row.price_usd is not None} | {
        "USD": ONE
    }
    return [
        _position_line(position, held.get(position.coverage.currency), usd, dashboard.results)
        for position in dashboard.positions
    ]


def buyback_lines(dashboard: Dashboard) -> list[BuyBackLine]:
    """In the order of the buy-backs: worst first."""
    usd = {row.currency: row.price_usd for row in dashboard.portfolio if row.price_usd} | {"USD": ONE}
    return [_buyback_line(row, dashboard, usd) for row in dashboard.buybacks]


# The page. What it shows of the account is kept until something changes; who asks, and ages, are of each request.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What all readers of one language see alike."""

    dashboard: Dashboard
    context: Mapping[str, Any]


PAGES_KEPT, PANEL_SETS_KEPT = 4, 16
PANELS_KEPT = frozenset(
    {
        *("nav", "attention", "figures", "protection", "buybacks", "open", "executed"),
        *("value", "signals", "watchlist"),
    }
)
_pages: Kept[_Page] = Kept(most=PAGES_KEPT)
_panels: Kept[dict[str, Panel]] = Kept(most=PANEL_SETS_KEPT)


def forget_pages() -> None:
    _pages.clear()
    _panels.clear()


@require_safe
@read_access_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """Built from the object that the API shows as well, so that both agree and nothing is read twice."""
    now, span, last_modified = timezone.now(), parse_span(request.GET), load_last_modified()
    sync = sync_state(now=now, last_modified=last_modified)
    version = None if last_modified.revisions is None else revision(last_modified=last_modified, sync=sync)
    page = _pages.get(
        (span, get_language()),
        version=version,
        now=now,
        make=lambda: _make_page(span, now=now, last_modified=last_modified),
    )
    dashboard = replace(page.dashboard, as_of=now, sync=sync, last_modified=last_modified)
    page_context = PageContext(request, dashboard)
    panels = _panels.get(
        (span, get_language(), current_preferences(), request.user.pk, page_context.actions.all_states()),
        version=version,
        now=now,
        make=lambda: Made({}, page.dashboard.shown_until),
    )
    request.kept_panels = KeptPanels(names=PANELS_KEPT, panels=panels, now=now)  # type: ignore[attr-defined]
    context = {
        "dashboard": dashboard,
        "page_context": page_context,
        "trading_mode": dashboard.mode,
        "now": now,
        "is_dashboard": True,
        **page.context,
    }
    return render(request, "portfolio/dashboard.html", context)


def _make_page(span: str, *, now: datetime, last_modified: LastModified) -> Made[_Page]:
    dashboard = load_dashboard(now=now, span=span, last_modified=last_modified)
    context = {
        "figures": dashboard_figures(dashboard),
        "lines": position_lines(dashboard),
        "buybacks": buyback_lines(dashboard),
        "coverage": coverage(dashboard),
        "allocation": allocation(dashboard.portfolio),
        "open_orders": dashboard.open_orders[:ORDERS_SHOWN],
        "executed_orders": dashboard.executed_orders[:ORDERS_SHOWN],
        "calls": dashboard.board.calls[:SIGNALS_SHOWN],
        "spans": list(SPANS),
        **simulator_context(_tradable_names(dashboard)),
    }
    return Made(_Page(dashboard=dashboard, context=context), dashboard.shown_until)


def _tradable_names(dashboard: Dashboard) -> list[str]:
    # What is watched, and what is held against dollars.
    held = (row.currency for row in dashboard.portfolio if row.currency not in settings.CASH_CURRENCIES)
    return [*(row.instrument_name for row in dashboard.watchlist), *(f"{currency}_USD" for currency in held)]


def _percent(dashboard: Dashboard) -> Decimal | None:
    # Of the cost of the positions whose P&L is known.
    paid, gained = Decimal(), Decimal()
    for row in dashboard.portfolio:
        result = dashboard.results.get(row.currency)
        if result and result.average_cost_usd is not None and result.unrealised_usd is not None:
            paid += result.average_cost_usd * (row.quantity - result.unexplained_quantity)
            gained += result.unrealised_usd
    return cents(gained / paid * HUNDRED) if paid > 0 else None


def _css_class(row: Unprotected) -> str:
    # For each lot by itself: one that failed says nothing about the others of its coin.
    if row.state in FAILED:
        return "f-crit"
    return "f-wait" if row.is_sent else "f-warn"


def _position_line(
    position: Position,
    holding: Holding | None,
    usd: Mapping[str, Decimal],
    results: Mapping[str, CoinResult],
) -> PositionLine:
    coverage, groups = position.coverage, _worst_first(position.groups)
    unprotected_usd = coverage.unprotected_usd
    external, result = tuple(_external_stops(position, usd)), results.get(coverage.currency, CoinResult())
    stops, cost = position.resting_stops, result.average_cost_usd
    shown_groups = groups[:MAX_LADDERS]
    shown_external = external[: MAX_LADDERS - len(shown_groups)]
    return PositionLine(
        coverage=coverage,
        css_class=CSS_CLASSES.get(coverage.coverage_status, ""),
        value_usd=holding.market_value_usd if holding else unprotected_usd,
        result=result,
        ladders=tuple(_group_ladder(group, usd) for group in shown_groups),
        external_stops=shown_external,
        more=len(groups) + len(external) - len(shown_groups) - len(shown_external),
        price_decimals=position.price_decimals,
        quantity_decimals=position.quantity_decimals,
        result_at_stop=complete_sum([stop.result(cost) for stop in stops]) if stops else None,
        result_at_target=complete_sum([stop.result_at_target(cost) for stop in stops]) if stops else None,
        max_loss_usd=complete_sum([stop.max_loss(usd.get(coverage.currency)) for stop in stops])
        if stops
        else None,
        is_limited=not coverage.unprotected_parts,
        fall_usd=None if unprotected_usd is None else unprotected_usd * FALL_RATIO,
    )


def _worst_first(groups: Sequence[GroupRow]) -> list[GroupRow]:
    return sorted(groups, key=lambda group: (group.state == State.ACTIVE, -group.quantity))


def _group_ladder(group: GroupRow, usd: Mapping[str, Decimal]) -> GroupLadder:
    base, _, quote = group.instrument_name.partition("_")
    price, quote_usd = usd.get(base), usd.get(quote)
    return GroupLadder(
        group=group,
        now=None if price is None or not quote_usd else price / quote_usd,
        failed=group.state in UNPROTECTED,
    )


def _external_stops(position: Position, usd: Mapping[str, Decimal]) -> Iterator[ExternalStop]:
    for stop in position.stops:
        price, quote_usd = usd.get(position.coverage.currency), usd.get(stop.quote)
        now = None if price is None or not quote_usd else price / quote_usd
        if stop.price is not None:
            yield ExternalStop(stop=stop.price, target=stop.target, now=now)


def _buyback_line(row: BuyBack, dashboard: Dashboard, usd: Mapping[str, Decimal]) -> BuyBackLine:
    # The last price of the pair, else the ratio of the prices of both currencies.
    price, quote_usd = usd.get(row.base), usd.get(row.quote)
    implied_price = price / quote_usd if price and quote_usd else None
    return BuyBackLine(
        row=row,
        css_class=CSS_CLASSES.get(row.coverage_status, ""),
        now=dashboard.prices.get(row.group.instrument_name, implied_price),
        quote_usd=quote_usd,
        failed=row.group.state in UNPROTECTED,
    )
