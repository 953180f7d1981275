"""What the account holds: its value over time, what it consists of, and what each coin has cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.selectors import decimals_of, instruments_of
from portfolio.accounting.cost_basis import DOLLARS
from portfolio.accounting.pnl import CoinResult, history_is_whole
from portfolio.accounting.snapshots import SPANS, span_of
from portfolio.dashboard.selectors import Dashboard, Holding, dashboard
from portfolio.security.access import readers_only
from portfolio.views.list_pages import Cell, csv_file, wants_file
from portfolio.web.charts import Slice, divided
from portfolio.web.page_context import Frame

HOLDING = (
    *("currency", "quantity", "available", "reserved", "price_usd", "market_value_usd", "allocation_pct"),
    *("protected_quantity", "unprotected_quantity"),
)
RESULT = ("average_cost_usd", "unrealised_usd", "unrealised_pct")
COLOURS = ("a1", "a2", "a3", "a4", "a5")
REST = "a6"
PLACES = 8  # of a price whose grid is not known
FINER = 2  # an average lies between the prices of its purchases


@require_safe
@readers_only
def portfolio(request: HttpRequest) -> HttpResponseBase:
    """The holdings, as a page and as a file."""
    if wants_file(request):
        return csv_file("portfolio", (*HOLDING, *RESULT), _cells(dashboard()))
    desk = dashboard(span=span_of(request.GET))
    context = {
        "desk": desk,
        "frame": Frame(request, desk),
        "trading_mode": desk.mode,
        "spans": list(SPANS),
        "shares": shares(desk.portfolio),
        "history_is_whole": history_is_whole(),
    }
    return render(request, "ledger/portfolio.html", context)


def shares(holdings: Sequence[Holding]) -> list[Slice]:
    """The five largest, and the rest together; what has no price has no share."""
    worth = [(one.currency, one.market_value_usd) for one in holdings if one.market_value_usd]
    parts = [(name, look, value) for (name, value), look in zip(worth, COLOURS, strict=False)]
    rest = sum((value for _, value in worth[len(COLOURS) :]), Decimal())
    return divided([*parts, ("", REST, rest)])


def _cells(desk: Dashboard) -> Iterator[Sequence[Cell]]:
    decimals = _price_decimals([one.currency for one in desk.portfolio])
    for holding in desk.portfolio:
        result = desk.results.get(holding.currency, CoinResult())
        places = decimals.get(holding.currency, PLACES) + FINER
        yield [
            *(getattr(holding, name) for name in HOLDING),
            *(_shortened(result.average_cost_usd, places), result.unrealised_usd, result.unrealised_pct),
        ]


def _price_decimals(currencies: Sequence[str]) -> dict[str, int]:
    """Of the finest grid on which a coin is traded for dollars."""
    found: dict[str, int] = {}
    for pair in instruments_of(symbols=(), currencies=currencies).values():
        if pair.quote_ccy in DOLLARS:
            places = decimals_of(pair.price_tick_size)
            found[pair.base_ccy] = max(places, found.get(pair.base_ccy, 0))
    return found


def _shortened(value: Decimal | None, places: int) -> Decimal | None:
    """A quotient may have thirty digits, of which nobody has a use."""
    return None if value is None else round(value, min(places, decimals_of(value)))
