"""The journal: what happened, in words, newest first, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from exchange.models import ExchangeOrder, Instrument, SyncRun, Trade
from exchange.selectors import decimals_of
from oco.engine.pricing import Way
from oco.models import OcoEvent
from portfolio.accounting.pnl import trade_results
from portfolio.templatetags.money import amount_text
from portfolio.templatetags.words import instrument as pair
from portfolio.views.cells import Cell
from portfolio.views.keyset import IN_A_FILE, ROWS, Page, Place, every_row
from portfolio.views.list_forms import JournalForm
from portfolio.views.sources import Happening, Kind, happenings

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
