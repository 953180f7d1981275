"""Everything on one page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portfolio.accounting.snapshots import SPANS, span_of
from portfolio.dashboard.selectors import dashboard
from portfolio.security.access import readers_only
from portfolio.views.buybacks import buyback_lines
from portfolio.views.figures import figures_of
from portfolio.views.positions import position_lines
from portfolio.views.shares import allocation, coverage
from portfolio.web.frame import Frame

ORDERS_SHOWN = 8
SIGNALS_SHOWN = 3


@require_safe
@readers_only
def home(request: HttpRequest) -> HttpResponse:
    """Made of one object, the same that the API shows; the frame around it reads nothing twice."""
    desk = dashboard(span=span_of(request.GET))
    context = {
        "desk": desk,
        "frame": Frame(request, desk),
        "trading_mode": desk.mode,
        "figures": figures_of(desk),
        "lines": position_lines(desk),
        "buybacks": buyback_lines(desk),
        "coverage": coverage(desk),
        "allocation": allocation(desk.portfolio),
        "open_orders": desk.open_orders[:ORDERS_SHOWN],
        "executed_orders": desk.executed_orders[:ORDERS_SHOWN],
        "calls": desk.board.calls[:SIGNALS_SHOWN],
        "spans": list(SPANS),
        "on_home": True,
    }
    return render(request, "portfolio/dashboard.html", context)
