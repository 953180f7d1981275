"""Holdings: account value over time, allocation, and the cost of each coin, as a page and as CSV."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.selectors import decimals_of, instruments_of
from portfolio.accounting.equity_curve import SPANS, parse_span
from portfolio.accounting.pnl import CoinResult, is_history_complete
from portfolio.dashboard.selectors import Dashboard, Holding, load_dashboard
from portfolio.security.access import read_access_required
from portfolio.views.lists import Cell, csv_response, wants_csv, wants_sheet
from portfolio.web.charts import OTHERS, Slice, coin_colour, divide_bar
from portfolio.web.page_context import PageContext

HOLDING_FIELDS = (
    *("currency", "quantity", "available", "reserved", "price_usd", "market_value_usd", "allocation_pct"),
    *("protected_quantity", "unprotected_quantity"),
)
RESULT_FIELDS = ("average_cost_usd", "unrealised_usd", "unrealised_pct", "unexplained_quantity")
COINS_SHOWN = 5
DEFAULT_DECIMALS = 8  # of a price whose tick size is unknown
DOLLARS = frozenset({"USD", "USDT", "USDC"})  # prices in them have about as many decimals
EXTRA_DECIMALS = 2  # an average lies between the prices paid


@require_safe
@read_access_required
def portfolio_overview(request: HttpRequest) -> HttpResponseBase:
    """The page, or the holdings as CSV."""
    if wants_csv(request):
        head, rows = (*HOLDING_FIELDS, *RESULT_FIELDS), _cells(load_dashboard())
        return csv_response("portfolio", head, rows, for_sheet=wants_sheet(request))
    dashboard = load_dashboard(span=parse_span(request.GET))
    context = {
        "dashboard": dashboard,
        "page_context": PageContext(request, dashboard),
        "trading_mode": dashboard.mode,
        "spans": list(SPANS),
        "allocation": allocation(dashboard.portfolio),
        "is_history_complete": is_history_complete(),
    }
    return render(request, "portfolio/portfolio.html", context)


def allocation(holdings: Sequence[Holding]) -> list[Slice]:
    """The five largest, and the rest together if it is several; what has no price has no share."""
    worth = [
        (one.currency, coin_colour(one.place), one.market_value_usd)
        for one in holdings
        if one.market_value_usd
    ]
    shown, rest = worth[:COINS_SHOWN], worth[COINS_SHOWN:]
    if len(rest) > 1:
        rest = [("", OTHERS, sum((value for *_coin, value in rest), Decimal()))]
    return divide_bar([*shown, *rest])


def _cells(dashboard: Dashboard) -> Iterator[Sequence[Cell]]:
    decimals = _price_decimals([one.currency for one in dashboard.portfolio])
    for holding in dashboard.portfolio:
        result = dashboard.results.get(holding.currency, CoinResult())
        places = decimals.get(holding.currency, DEFAULT_DECIMALS) + EXTRA_DECIMALS
        yield [
            *(getattr(holding, name) for name in HOLDING_FIELDS),
            *(_rounded(result.average_cost_usd, places), result.unrealised_usd, result.unrealised_pct),
            result.unexplained_quantity,
        ]


def _price_decimals(currencies: Sequence[str]) -> dict[str, int]:
    # Of the smallest tick size of the dollar pairs of a coin.
    found: dict[str, int] = {}
    for pair in instruments_of(symbols=(), currencies=currencies).values():
        if pair.quote_ccy in DOLLARS:
            places = decimals_of(pair.price_tick_size)
            found[pair.base_ccy] = max(places, found.get(pair.base_ccy, 0))
    return found


def _rounded(value: Decimal | None, places: int) -> Decimal | None:
    # A quotient may have thirty digits.
    return None if value is None else round(value, min(places, decimals_of(value)))
