"""Every position with its coverage, worst first, and every group."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.models import Instrument
from exchange.selectors import decimals_of
from oco.engine.coverage import CoverageStatus
from oco.engine.states import State
from oco.models import OcoGroup
from oco.presentation.group_detail import GroupDetail, group_details
from oco.selectors import GroupProblem, group_instruments, groups_filtered
from portfolio.dashboard.selectors import load_dashboard
from portfolio.formatting import GROUP_PILLS
from portfolio.security.access import read_access_required
from portfolio.views.dashboard import coverage, position_lines
from portfolio.web.page_context import PageContext

PAGE_SIZE = 25
MAX_NAME_LENGTH = 64


@require_safe
@read_access_required
def protection_list(request: HttpRequest) -> HttpResponse:
    dashboard, filters = load_dashboard(), _read_filters(request.GET)
    page = Paginator(groups_filtered(**filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "dashboard": dashboard,
        "page_context": PageContext(request, dashboard),
        "trading_mode": dashboard.mode,
        "lines": position_lines(dashboard),
        "coverage": coverage(dashboard),
        "filters": filters,
        "page": page,
        "rows": build_rows(page),
        "page_urls": _page_urls(page, filters),
        "states": [(state, word) for state, (_look, _icon, word) in GROUP_PILLS.items()],
        "instruments": group_instruments(),
    }
    return render(request, "oco/protection.html", context)


@dataclass(frozen=True, slots=True)
class GroupListRow:
    """One group, with the decimals of its instrument where they are known."""

    detail: GroupDetail
    price_decimals: int | None
    quantity_decimals: int | None

    @property
    def group(self) -> OcoGroup:
        return self.detail.group

    @property
    def buys_back(self) -> bool:
        return self.detail.buys_back

    @property
    def coverage_status(self) -> CoverageStatus | None:
        return self.detail.coverage_status

    @property
    def target(self) -> Decimal | None:
        return self.detail.target


def build_rows(groups: Iterable[OcoGroup]) -> list[GroupListRow]:
    """One query for their instruments, and one for their orders."""
    listed = list(groups)
    names = {group.instrument_name for group in listed}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)}
    grids = {
        name: (decimals_of(row.price_tick_size), decimals_of(row.qty_tick_size))
        for name, row in pairs.items()
    }
    details = group_details(listed, instruments=pairs)
    return [
        GroupListRow(details[group.pk], *grids.get(group.instrument_name, (None, None))) for group in listed
    ]


def _read_filters(given: Mapping[str, str]) -> dict[str, str]:
    # An unknown value filters nothing.
    danger, state = given.get("danger", ""), given.get("state", "")
    return {
        "danger": danger if danger in set(GroupProblem) else "",
        "state": state if state in set(State) else "",
        "instrument": given.get("instrument", "")[:MAX_NAME_LENGTH],
    }


def _page_urls(page: Page[OcoGroup], filters: Mapping[str, str]) -> dict[str, Any]:
    # Previous and next page, with the same filter.
    query_params = {name: value for name, value in filters.items() if value}
    before = page.previous_page_number() if page.has_previous() else None
    after = page.next_page_number() if page.has_next() else None
    return {
        name: f"?{urlencode({**query_params, 'page': number})}"
        for name, number in (("before", before), ("after", after))
        if number is not None
    }
