"""Signals of every followed instrument, by timeframe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from exchange.core.times import Timeframe
from portfolio.models import Signal
from portfolio.security.access import read_access_required
from portfolio.signals.selectors import SignalRow, board

INSTRUMENTS_A_PAGE = 10
TIMEFRAMES = [str(timeframe) for timeframe in Timeframe]
CHOICES = {"timeframe": TIMEFRAMES, "action": list(Signal.Action.values)}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSignals:
    """One instrument: a cell for each timeframe, None where it was never calculated, and the requested rows."""

    instrument_name: str
    cells: Sequence[SignalRow | None]
    rows: Sequence[SignalRow]


@require_safe
@read_access_required
def signal_list(request: HttpRequest) -> HttpResponse:
    """All in one table, and each with its reasons below."""
    shown, now = board(now=timezone.now()), timezone.now()
    filters = _read_filters(request.GET)
    sheets = _group_by_instrument([*shown.calls, *shown.without_signal], filters)
    page = Paginator(sheets, INSTRUMENTS_A_PAGE).get_page(request.GET.get("page"))
    names = sorted({row.instrument_name for row in [*shown.calls, *shown.without_signal]})
    context = {
        "board": shown,
        "page": page,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "names": names,
        "choices": CHOICES,
        "now": now,
        "query": _query(request),
    }
    return render(request, "signals/list.html", context)


def _read_filters(given: Mapping[str, str]) -> dict[str, str]:
    # Invalid filters are ignored.
    valid = {name: given.get(name, "") for name, choices in CHOICES.items() if given.get(name) in choices}
    return {**valid, "instrument_name": given.get("instrument_name", "")}


def _query(request: HttpRequest) -> str:
    # The filters, for links to other pages.
    query_params = request.GET.copy()
    query_params.pop("page", None)
    return query_params.urlencode()


def _group_by_instrument(rows: Iterable[SignalRow], filters: Mapping[str, str]) -> list[InstrumentSignals]:
    # The instrument with the strongest signal first.
    found: dict[str, list[SignalRow]] = {}
    for row in rows:
        found.setdefault(row.instrument_name, []).append(row)
    sheets = (_instrument_signals(name, of, filters) for name, of in found.items())
    return [sheet for sheet in sheets if sheet.rows]


def _instrument_signals(
    name: str, rows: Sequence[SignalRow], filters: Mapping[str, str]
) -> InstrumentSignals:
    by_timeframe = {row.timeframe: row for row in rows}
    wanted = [
        row for row in rows if all(getattr(row, key) == value for key, value in filters.items() if value)
    ]
    return InstrumentSignals(
        instrument_name=name,
        cells=[by_timeframe.get(timeframe) for timeframe in TIMEFRAMES],
        rows=sorted(wanted, key=lambda row: TIMEFRAMES.index(row.timeframe)),
    )
