"""What happened: the journal, as a page and as a file.

Where the journal comes from: fills, the journal of the protection, and cycles that failed. Each newest first.

The journal: what happened, in words, newest first, page by page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from exchange.core.times import EPOCH, NS_PER_MS, from_ms, to_ms
from exchange.models import ExchangeOrder, Instrument, SyncRun, Trade
from exchange.selectors import decimals_of
from oco.engine.pricing import Way
from oco.models import OcoEvent, OcoGroup
from portfolio.accounting.pnl import trade_results
from portfolio.security.access import readers_only
from portfolio.templatetags.formatting import amount_text
from portfolio.templatetags.labels import instrument as pair
from portfolio.views.list_forms import JournalForm
from portfolio.views.list_pages import (
    IN_A_FILE,
    MICROSECOND,
    ROWS,
    Cell,
    Page,
    Place,
    every_row,
    list_answer,
    micros,
)

Rows = QuerySet[Any]
NS_PER_US = 1000
FILL, EVENT, TROUBLE = 3, 2, 1  # of the same instant, the fill stands above what follows from it


class Kind(StrEnum):
    FILL = "fill"
    EVENT = "protection"
    TROUBLE = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened; `place` orders it among all others."""

    kind: Kind
    place: Place
    at: datetime
    trade: Trade | None = None
    event: OcoEvent | None = None
    run: SyncRun | None = None


def happenings(form: JournalForm, *, after: Place | None, size: int) -> list[Happening]:
    """The next `size` of everything that the form asks for. At most four queries, each along an index."""
    asked, instrument = form.cleaned_data["kind"], form.cleaned_data["instrument"]
    found: list[Happening] = []
    if asked in ("", JournalForm.FILLS):
        found += _fills(form, instrument, after, size)
    if asked in ("", JournalForm.PROTECTION):
        found += _events(form, instrument, after, size)
    if asked == JournalForm.SYNC or (not asked and not instrument):
        found += _troubles(form, after, size)
    return sorted(found, key=lambda one: one.place, reverse=True)[:size]


def _fills(form: JournalForm, instrument: str, after: Place | None, size: int) -> Iterator[Happening]:
    rows = Trade.objects.all()
    if instrument:
        rows = rows.filter(instrument_name=instrument)
    if form.begins:
        rows = rows.filter(create_time_ns__gte=to_ms(form.begins) * NS_PER_MS)
    if form.ends:
        rows = rows.filter(create_time_ns__lt=to_ms(form.ends) * NS_PER_MS)
    if after is not None:
        rows = rows.filter(_earlier("create_time_ns", after.at, FILL, after), create_time_ns__lte=after.at)
    for trade in rows.order_by("-create_time_ns", "-id")[:size]:
        at = from_ms(trade.create_time_ns // NS_PER_MS)
        yield Happening(kind=Kind.FILL, place=Place(trade.create_time_ns, FILL, trade.pk), at=at, trade=trade)


def _events(form: JournalForm, instrument: str, after: Place | None, size: int) -> Iterator[Happening]:
    rows = _period(OcoEvent.objects.select_related("group__lot"), "at", form)
    if instrument:
        rows = rows.filter(group__in=OcoGroup.objects.filter(instrument_name=instrument))
    for event in _older(rows, "at", EVENT, after)[:size]:
        place = Place(micros(event.at) * NS_PER_US, EVENT, event.pk)
        yield Happening(kind=Kind.EVENT, place=place, at=event.at, event=event)


def _troubles(form: JournalForm, after: Place | None, size: int) -> Iterator[Happening]:
    """One query for each status: so the index of each gives them in order."""
    for status in (SyncRun.Status.FAILED, SyncRun.Status.PARTIAL):
        rows = _period(SyncRun.objects.filter(status=status, finished_at__isnull=False), "finished_at", form)
        for run in _older(rows, "finished_at", TROUBLE, after)[:size]:
            at = run.finished_at or run.started_at
            place = Place(micros(at) * NS_PER_US, TROUBLE, run.pk)
            yield Happening(kind=Kind.TROUBLE, place=place, at=at, run=run)


def _period(rows: Rows, column: str, form: JournalForm) -> Rows:
    if form.begins:
        rows = rows.filter(**{f"{column}__gte": form.begins})
    return rows.filter(**{f"{column}__lt": form.ends}) if form.ends else rows


def _older(rows: Rows, column: str, rank: int, after: Place | None) -> Rows:
    """From `after` on, the newest first. A place within a microsecond has everything of it before itself."""
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


def _earlier(column: str, at: int | datetime, rank: int, after: Place) -> Q:
    earlier = Q(**{f"{column}__lt": at})
    if rank < after.rank:
        return earlier | Q(**{column: at})
    return earlier | Q(**{column: at, "pk__lt": after.key}) if rank == after.rank else earlier


HEAD = (
    *("at", "kind", "instrument_name", "what", "reason", "quantity", "price", "fee", "fee_currency"),
    *("realised_usd", "order_id", "oco_group_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line. `order` is our id of the order, `look` bad, good or nothing; amounts are those of a fill."""

    at: datetime
    kind: Kind
    instrument_name: str = ""
    text: str = ""
    reason: str = ""
    look: str = ""
    state: str = ""
    way: Way = Way.SELLS
    trade: Trade | None = None
    price_decimals: int | None = None
    quantity_decimals: int | None = None
    order: int | None = None
    group_id: UUID | None = None
    realised_usd: Decimal | None = None

    @property
    def is_sale(self) -> bool:
        return self.trade is not None and self.trade.side == "SELL"

    @property
    def cells(self) -> Sequence[Cell]:
        fill: list[Cell] = [None, None, None, None]
        if self.trade is not None:
            fill = [self.trade.quantity, self.trade.price, self.trade.fee, self.trade.fee_currency]
        order_id = self.trade.order_id if self.trade else None
        head = (self.at, self.kind, self.instrument_name, self.text, self.reason)
        return [*head, *fill, self.realised_usd, order_id, self.group_id]


@dataclass(frozen=True, slots=True)
class Beside:
    """What belongs beside fills: grids, our ids of their orders, and results."""

    instruments: Mapping[str, Instrument]
    orders: Mapping[str, int]
    results: Mapping[str, Decimal]


def journal_page(form: JournalForm, *, after: Place | None, size: int = ROWS) -> Page[Told]:
    """Eight queries at most, however much has happened."""
    found = happenings(form, after=after, size=size + 1)
    shown = found[:size]
    beside = _beside([one.trade for one in shown if one.trade is not None])
    older = shown[-1].place if len(found) > size else None
    return Page(rows=[_told(one, beside) for one in shown], older=older, is_first=after is None)


def journal_file(form: JournalForm) -> Iterator[Sequence[Cell]]:
    """Everything that the form asks for."""
    return (one.cells for one in every_row(lambda after: journal_page(form, after=after, size=IN_A_FILE)))


def _beside(trades: Sequence[Trade]) -> Beside:
    names = {trade.instrument_name for trade in trades}
    rows = Instrument.objects.filter(symbol__in=names) if names else ()
    return Beside(
        instruments={row.symbol: row for row in rows},
        orders=_orders({trade.order_id for trade in trades}),
        results=trade_results([trade.trade_id for trade in trades if trade.side == "SELL"]),
    )


def _orders(ids: set[str]) -> dict[str, int]:
    """A triggered order by either of its ids (dossier 6.2). Two queries, each along its own index."""
    if not ids:
        return {}
    rows = ExchangeOrder.objects.filter(is_mirror=False).order_by()
    first = rows.filter(name_space__in=ExchangeOrder.NameSpace.values, order_id__in=ids)
    second = rows.filter(exchange_order_id__in=ids).exclude(exchange_order_id="")
    return dict(first.values_list("order_id", "pk")) | dict(second.values_list("exchange_order_id", "pk"))


def _told(one: Happening, beside: Beside) -> Told:
    if one.trade is not None:
        return _fill(one.at, one.trade, beside)
    if one.event is not None:
        return _event(one.at, one.event)
    return _trouble(one.at, one.run)


def _fill(at: datetime, trade: Trade, beside: Beside) -> Told:
    grid = beside.instruments.get(trade.instrument_name)
    price_decimals = decimals_of(grid.price_tick_size) if grid else None
    quantity_decimals = decimals_of(grid.qty_tick_size) if grid else None
    words = _("Bought %(quantity)s of %(name)s at %(price)s")
    if trade.side == "SELL":
        words = _("Sold %(quantity)s of %(name)s at %(price)s")
    return Told(
        at=at,
        kind=Kind.FILL,
        instrument_name=trade.instrument_name,
        text=words
        % {
            "quantity": amount_text(trade.quantity, quantity_decimals),
            "name": pair(trade.instrument_name),
            "price": amount_text(trade.price, price_decimals),
        },
        trade=trade,
        price_decimals=price_decimals,
        quantity_decimals=quantity_decimals,
        order=beside.orders.get(trade.order_id),
        realised_usd=beside.results.get(trade.trade_id),
    )


def _event(at: datetime, event: OcoEvent) -> Told:
    moved = event.old != event.new
    bad = event.code is not None or (moved and event.new in ("STOP_FAILED", "UNKNOWN"))
    way = event.group.lot.way
    words = _("Buy-back of %s") if way is Way.BUYS else _("Protection of %s")
    return Told(
        at=at,
        kind=Kind.EVENT,
        instrument_name=event.group.instrument_name,
        text=words % pair(event.group.instrument_name),
        reason=event.reason,
        look="bad" if bad else "good" if moved and event.new == "ACTIVE" else "",
        state=event.new if moved else "",
        way=way,
        group_id=event.group_id,
    )


def _trouble(at: datetime, run: SyncRun | None) -> Told:
    failed = run is not None and run.status == SyncRun.Status.FAILED
    return Told(
        at=at,
        kind=Kind.TROUBLE,
        text=_("A sync failed") if failed else _("A sync was not complete"),
        reason=" ".join(str(error) for error in (run.errors if run else ())),
        look="bad",
    )


@require_safe
@readers_only
def history(request: HttpRequest) -> HttpResponseBase:
    """Purchases, sales, protection and troubles in one list, the newest first."""
    form = JournalForm(request.GET)
    return list_answer(request, name="history", form=form, head=HEAD, file=journal_file, page=journal_page)
