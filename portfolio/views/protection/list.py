"""Every position with its cover, the worst first, and every group there ever was."""

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
from oco.engine.coverage import Cover
from oco.engine.states import State
from oco.models import OcoGroup
from oco.presentation.group_detail import Story, groups_told
from oco.selectors import Danger, group_instruments, groups_asked
from portfolio.dashboard.selectors import dashboard
from portfolio.security.access import readers_only
from portfolio.templatetags.labels import GROUP_LOOKS
from portfolio.views.dashboard import coverage, position_lines
from portfolio.web.page_context import Frame

A_PAGE = 25
LONGEST = 64


@require_safe
@readers_only
def protection(request: HttpRequest) -> HttpResponse:
    desk, asked = dashboard(), _asked(request.GET)
    page = Paginator(groups_asked(**asked), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "desk": desk,
        "frame": Frame(request, desk),
        "trading_mode": desk.mode,
        "lines": position_lines(desk),
        "coverage": coverage(desk),
        "asked": asked,
        "page": page,
        "rows": rows_of(page),
        "around": _around(page, asked),
        "states": [(state, word) for state, (_look, _icon, word) in GROUP_LOOKS.items()],
        "instruments": group_instruments(),
    }
    return render(request, "oco/protection.html", context)


@dataclass(frozen=True, slots=True)
class Row:
    """One group, with the decimals of its instrument where that is known."""

    story: Story
    price_decimals: int | None
    quantity_decimals: int | None

    @property
    def group(self) -> OcoGroup:
        return self.story.group

    @property
    def buys_back(self) -> bool:
        return self.story.buys_back

    @property
    def called(self) -> Cover | None:
        return self.story.called

    @property
    def target(self) -> Decimal | None:
        return self.story.target


def rows_of(groups: Iterable[OcoGroup]) -> list[Row]:
    """One query for their instruments, and one for their orders."""
    listed = list(groups)
    names = {group.instrument_name for group in listed}
    pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)}
    grids = {
        name: (decimals_of(row.price_tick_size), decimals_of(row.qty_tick_size))
        for name, row in pairs.items()
    }
    told = groups_told(listed, instruments=pairs)
    return [Row(told[group.pk], *grids.get(group.instrument_name, (None, None))) for group in listed]


def _asked(given: Mapping[str, str]) -> dict[str, str]:
    """What is filtered by; a word that we do not know filters nothing."""
    danger, state = given.get("danger", ""), given.get("state", "")
    return {
        "danger": danger if danger in set(Danger) else "",
        "state": state if state in set(State) else "",
        "instrument": given.get("instrument", "")[:LONGEST],
    }


def _around(page: Page[OcoGroup], asked: Mapping[str, str]) -> dict[str, Any]:
    """The addresses of the pages before and after this one, with the same filter."""
    kept = {name: value for name, value in asked.items() if value}
    before = page.previous_page_number() if page.has_previous() else None
    after = page.next_page_number() if page.has_next() else None
    return {
        name: f"?{urlencode({**kept, 'page': number})}"
        for name, number in (("before", before), ("after", after))
        if number is not None
    }
