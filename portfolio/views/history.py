"""The activity list: fills, protection events and failed cycles, newest first, as a page and as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from exchange.core.times import EPOCH, NS_PER_MS, from_ms, to_ms
from exchange.error_texts import render_errors
from exchange.models import Instrument, SyncRun, Trade
from exchange.selectors import TradeRow, decimals_of, trade_row
from oco.engine.pricing import ExitSide
from oco.models import OcoEvent, OcoGroup
from oco.presentation.group_detail import event_tone
from oco.presentation.reasons import render_reason
from portfolio.accounting.pnl import SaleResult, trade_results
from portfolio.formatting import amount_text, instrument_label
from portfolio.security.access import read_access_required
from portfolio.views.lists import (
    FILE_BATCH_SIZE,
    MICROSECOND,
    PAGE_SIZE,
    ActivityFilterForm,
    Cell,
    Cursor,
    Page,
    iterate_rows,
    list_response,
    result_cells,
    to_microseconds,
)

Rows = QuerySet[Any]
NS_PER_US = 1000
FILL, EVENT, SYNC_ERROR = 3, 2, 1  # at the same time, a fill is listed above what follows from it
FILL_FIELDS = ("quantity", "price", "fee", "fee_currency")
MORE_FILL_FIELDS = ("side", "taker_side", "trade_id", "fee_usd")
CSV_HEADER = (
    *("at", "kind", "instrument_name", "what", "reason", *FILL_FIELDS, "realised_usd", "order_id"),
    *("oco_group_id", *MORE_FILL_FIELDS, "unexplained_quantity", "state", "reason_code", "exchange_code"),
)


class ActivityKind(StrEnum):
    FILL = "fill"
    EVENT = "protection"
    SYNC_ERROR = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityItem:
    """One row before formatting; `cursor` orders it among all others."""

    kind: ActivityKind
    cursor: Cursor
    at: datetime
    trade: Trade | None = None
    event: OcoEvent | None = None
    run: SyncRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """One row as shown. `css_class` is bad, good or empty; amounts are those of a fill.

    `text` and `reason` are in the reader's language; `state`, `reason_code` and `exchange_code` are codes.
    """

    at: datetime
    kind: ActivityKind
    instrument_name: str = ""
    text: str = ""
    reason: str = ""
    css_class: str = ""
    state: str = ""
    shown_state: str = ""
    exit_side: ExitSide = ExitSide.SELL
    reason_code: str = ""
    exchange_code: int | None = None
    trade: TradeRow | None = None
    price_decimals: int | None = None
    quantity_decimals: int | None = None
    group_id: UUID | None = None
    result: SaleResult | None = None

    @property
    def order(self) -> int | None:
        """Our id of the order."""
        return self.trade.order if self.trade else None

    @property
    def is_sale(self) -> bool:
        return self.trade is not None and self.trade.side == "SELL"

    @property
    def cells(self) -> Sequence[Cell]:
        gain, unexplained = result_cells(self.result)
        return [
            *(self.at, self.kind, self.instrument_name, self.text, self.reason),
            *self._of_fill(*FILL_FIELDS),
            gain,
            *self._of_fill("order_id"),
            self.group_id,
            *self._of_fill(*MORE_FILL_FIELDS),
            *(unexplained, self.state, self.reason_code, self.exchange_code),
        ]

    def _of_fill(self, *names: str) -> Iterator[Cell]:
        return (getattr(self.trade, name) if self.trade else None for name in names)


@dataclass(frozen=True, slots=True)
class ActivityLookups:
    """What fills need: tick sizes and realised P&L."""

    instruments: Mapping[str, Instrument]
    results: Mapping[str, SaleResult]


def activity_items(form: ActivityFilterForm, *, after: Cursor | None, size: int) -> list[ActivityItem]:
    """The next `size` rows the form asks for. At most four queries, each along an index."""
    wanted_kind, instrument = form.cleaned_data["kind"], form.cleaned_data["instrument"]
    found: list[ActivityItem] = []
    if wanted_kind in ("", ActivityFilterForm.FILLS):
        found += _fills(form, instrument, after, size)
    if wanted_kind in ("", ActivityFilterForm.PROTECTION):
        found += _events(form, instrument, after, size)
    if wanted_kind == ActivityFilterForm.SYNC or (not wanted_kind and not instrument):
        found += _sync_errors(form, after, size)
    return sorted(found, key=lambda one: one.cursor, reverse=True)[:size]


def activity_page(
    form: ActivityFilterForm, *, after: Cursor | None, size: int = PAGE_SIZE
) -> Page[ActivityRow]:
    """At most eight queries, however many rows there are."""
    found = activity_items(form, after=after, size=size + 1)
    shown = found[:size]
    lookups = _load_lookups([one.trade for one in shown if one.trade is not None])
    older = shown[-1].cursor if len(found) > size else None
    return Page(rows=[_activity_row(one, lookups) for one in shown], older=older, is_first=after is None)


def activity_csv_rows(form: ActivityFilterForm) -> Iterator[Sequence[Cell]]:
    """All rows the form asks for."""
    return (
        one.cells
        for one in iterate_rows(lambda after: activity_page(form, after=after, size=FILE_BATCH_SIZE))
    )


@require_safe
@read_access_required
def history_list(request: HttpRequest) -> HttpResponseBase:
    """Fills, protection and sync errors in one list."""
    form = ActivityFilterForm(request.GET)
    return list_response(
        request, name="history", form=form, head=CSV_HEADER, file=activity_csv_rows, page=activity_page
    )


def _fills(
    form: ActivityFilterForm, instrument: str, after: Cursor | None, size: int
) -> Iterator[ActivityItem]:
    rows = Trade.objects.all()
    if instrument:
        rows = rows.filter(instrument_name=instrument)
    if form.period_start:
        rows = rows.filter(create_time_ns__gte=to_ms(form.period_start) * NS_PER_MS)
    if form.period_end:
        rows = rows.filter(create_time_ns__lt=to_ms(form.period_end) * NS_PER_MS)
    if after is not None:
        rows = rows.filter(_earlier("create_time_ns", after.at, FILL, after), create_time_ns__lte=after.at)
    for trade in rows.order_by("-create_time_ns", "-id")[:size]:
        at = from_ms(trade.create_time_ns // NS_PER_MS)
        yield ActivityItem(
            kind=ActivityKind.FILL, cursor=Cursor(trade.create_time_ns, FILL, trade.pk), at=at, trade=trade
        )


def _events(
    form: ActivityFilterForm, instrument: str, after: Cursor | None, size: int
) -> Iterator[ActivityItem]:
    rows = _period(OcoEvent.objects.select_related("group__lot"), "at", form)
    if instrument:
        rows = rows.filter(group__in=OcoGroup.objects.filter(instrument_name=instrument))
    for event in _older(rows, "at", EVENT, after)[:size]:
        cursor = Cursor(to_microseconds(event.at) * NS_PER_US, EVENT, event.pk)
        yield ActivityItem(kind=ActivityKind.EVENT, cursor=cursor, at=event.at, event=event)


def _sync_errors(form: ActivityFilterForm, after: Cursor | None, size: int) -> Iterator[ActivityItem]:
    # One query for each status, so that its index gives them in order.
    for status in (SyncRun.Status.FAILED, SyncRun.Status.PARTIAL):
        rows = _period(SyncRun.objects.filter(status=status, finished_at__isnull=False), "finished_at", form)
        for run in _older(rows, "finished_at", SYNC_ERROR, after)[:size]:
            at = run.finished_at or run.started_at
            cursor = Cursor(to_microseconds(at) * NS_PER_US, SYNC_ERROR, run.pk)
            yield ActivityItem(kind=ActivityKind.SYNC_ERROR, cursor=cursor, at=at, run=run)


def _period(rows: Rows, column: str, form: ActivityFilterForm) -> Rows:
    if form.period_start:
        rows = rows.filter(**{f"{column}__gte": form.period_start})
    return rows.filter(**{f"{column}__lt": form.period_end}) if form.period_end else rows


def _older(rows: Rows, column: str, rank: int, after: Cursor | None) -> Rows:
    # From `after` on, newest first. A cursor within a microsecond has all rows of that microsecond before it.
    ordered = rows.order_by(f"-{column}", "-pk")
    if after is None:
        return ordered
    try:
        at = EPOCH + after.at // NS_PER_US * MICROSECOND
    except OverflowError:
        return ordered.none()
    if after.at % NS_PER_US:
        return ordered.filter(**{f"{column}__lte": at})
    return ordered.filter(_earlier(column, at, rank, after), **{f"{column}__lte": at})


def _earlier(column: str, at: int | datetime, rank: int, after: Cursor) -> Q:
    earlier = Q(**{f"{column}__lt": at})
    if rank < after.rank:
        return earlier | Q(**{column: at})
    return earlier | Q(**{column: at, "pk__lt": after.key}) if rank == after.rank else earlier


def _load_lookups(trades: Sequence[Trade]) -> ActivityLookups:
    names = {trade.instrument_name for trade in trades}
    rows = Instrument.objects.filter(symbol__in=names) if names else ()
    return ActivityLookups(
        instruments={row.symbol: row for row in rows},
        results=trade_results([trade.trade_id for trade in trades if trade.side == "SELL"]),
    )


def _activity_row(one: ActivityItem, lookups: ActivityLookups) -> ActivityRow:
    if one.trade is not None:
        return _fill_row(one.at, one.trade, lookups)
    if one.event is not None:
        return _event_row(one.at, one.event)
    return _sync_error_row(one.at, one.run)


def _fill_row(at: datetime, trade: Trade, lookups: ActivityLookups) -> ActivityRow:
    grid = lookups.instruments.get(trade.instrument_name)
    price_decimals = decimals_of(grid.price_tick_size) if grid else None
    quantity_decimals = decimals_of(grid.qty_tick_size) if grid else None
    template = _("Bought %(quantity)s of %(name)s at %(price)s")
    if trade.side == "SELL":
        template = _("Sold %(quantity)s of %(name)s at %(price)s")
    return ActivityRow(
        at=at,
        kind=ActivityKind.FILL,
        instrument_name=trade.instrument_name,
        text=template
        % {
            "quantity": amount_text(trade.quantity, quantity_decimals),
            "name": instrument_label(trade.instrument_name),
            "price": amount_text(trade.price, price_decimals),
        },
        trade=trade_row(trade),
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        result=lookups.results.get(trade.trade_id),
    )


def _event_row(at: datetime, event: OcoEvent) -> ActivityRow:
    exit_side = event.group.lot.exit_side
    template = _("Buy-back of %s") if exit_side is ExitSide.BUY else _("Protection of %s")
    return ActivityRow(
        at=at,
        kind=ActivityKind.EVENT,
        instrument_name=event.group.instrument_name,
        text=template % instrument_label(event.group.instrument_name),
        reason=render_reason(event.stored_reason),
        reason_code=event.reason_code,
        exchange_code=event.code,
        css_class=event_tone(event),
        state=event.new if event.new != event.old else "",
        shown_state=event.shown_state,
        exit_side=exit_side,
        group_id=event.group_id,
    )


def _sync_error_row(at: datetime, run: SyncRun | None) -> ActivityRow:
    failed = run is not None and run.status == SyncRun.Status.FAILED
    return ActivityRow(
        at=at,
        kind=ActivityKind.SYNC_ERROR,
        text=_("Sync failed") if failed else _("Sync incomplete"),
        reason=" ".join(render_errors(run.errors, run.error_reasons) if run else ()),
        css_class="bad",
        state=run.status if run else "",
    )
