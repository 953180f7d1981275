"""The order list with its filters, as a page and as CSV, and the page of one order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.models import ExchangeOrder, Trade
from exchange.selectors import (
    UNTRIGGERED_STATUSES,
    OrderRow,
    TradeRow,
    has_shown_status,
    order_rows,
    orders_shown,
    trade_row,
)
from portfolio.accounting.pnl import SaleResult, order_results, trade_results
from portfolio.dashboard.selectors import usd_prices
from portfolio.security.access import read_access_required
from portfolio.views.lists import (
    FILE_BATCH_SIZE,
    PAGE_SIZE,
    Cell,
    Cursor,
    OrderFilterForm,
    Page,
    iterate_rows,
    list_response,
    paginate_newest_first,
    result_cells,
)

TRADES_SHOWN = 100
FILTER_COLUMNS = {
    "instrument": "instrument_name",
    "side": "side",
    "role": "order_role",
    "origin": "origin",
    "group": "oco_group_id",
}
ORDER_FIELDS = (
    *("id", "order_id", "exchange_order_id", "client_oid", "instrument_name", "side", "order_type"),
    *("order_role", "origin", "status", "price", "trigger_price", "quantity", "filled_quantity"),
    *("average_price", "value_usd", "fee", "fee_currency", "oco_group_id", "created_at", "updated_at"),
)
CSV_HEADER = (*ORDER_FIELDS, "realised_usd", "unexplained_quantity")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderListRow:
    """`result` is the realised P&L of a sell order, None when unknown or for a buy order."""

    row: OrderRow
    result: SaleResult | None

    @property
    def cells(self) -> Sequence[Cell]:
        return [*(getattr(self.row, name) for name in ORDER_FIELDS), *result_cells(self.result)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One fill of an order, with its realised P&L if it was a sale and it is known."""

    trade: TradeRow
    result: SaleResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetail:
    """One order with its newest fills; `more`: there are others."""

    order: ExchangeOrder
    row: OrderRow
    result: SaleResult | None
    executions: tuple[Execution, ...]
    more: bool


def filter_orders(form: OrderFilterForm) -> QuerySet[ExchangeOrder]:
    """Apply a valid form."""
    cleaned = form.cleaned_data
    terms = {column: cleaned[name] for name, column in FILTER_COLUMNS.items() if cleaned.get(name)}
    period = {"updated_at__gte": form.period_start, "updated_at__lt": form.period_end}
    terms |= {name: moment for name, moment in period.items() if moment is not None}
    return orders_shown().filter(_show_filter(cleaned["show"]), _status_filter(cleaned["status"]), **terms)


def orders_page(form: OrderFilterForm, *, after: Cursor | None, size: int = PAGE_SIZE) -> Page[OrderListRow]:
    """Last updated first. Five queries, however many orders there are."""
    page = paginate_newest_first(filter_orders(form), "updated_at", after=after, size=size)
    rows = order_rows(page.rows, usd_prices=usd_prices())
    results = order_results(rows)
    shown = [OrderListRow(row=row, result=results.get(row.id)) for row in rows]
    return Page(rows=shown, older=page.older, is_first=page.is_first)


def orders_csv_rows(form: OrderFilterForm) -> Iterator[Sequence[Cell]]:
    """All orders the form asks for."""
    return (
        one.cells for one in iterate_rows(lambda after: orders_page(form, after=after, size=FILE_BATCH_SIZE))
    )


def load_order_detail(*, pk: int) -> OrderDetail:
    """Six queries. Raises ExchangeOrder.DoesNotExist."""
    order = orders_shown().get(pk=pk)
    (row,) = order_rows([order], usd_prices=usd_prices())
    trades = _trades_of(order)
    gains = trade_results([trade.trade_id for trade in trades[:TRADES_SHOWN]])
    return OrderDetail(
        order=order,
        row=row,
        result=order_results([row]).get(row.id),
        executions=tuple(
            Execution(trade=trade_row(trade), result=gains.get(trade.trade_id))
            for trade in trades[:TRADES_SHOWN]
        ),
        more=len(trades) > TRADES_SHOWN,
    )


@require_safe
@read_access_required
def order_list(request: HttpRequest) -> HttpResponseBase:
    """Open and finished orders."""
    form = OrderFilterForm(request.GET)
    return list_response(
        request, name="orders", form=form, head=CSV_HEADER, file=orders_csv_rows, page=orders_page
    )


@require_safe
@read_access_required
def order_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One order with its fills and exchange ids."""
    try:
        detail = load_order_detail(pk=pk)
    except (ExchangeOrder.DoesNotExist, OverflowError):
        raise Http404 from None
    return render(request, "orders/detail.html", {"detail": detail})


def _show_filter(which: str) -> Q:
    # There are few open orders (dossier 4), so those are found first.
    if which == "open":
        return Q(pk__in=ExchangeOrder.objects.filter(is_open=True).values("pk"))
    return Q(is_open=False, has_fills=True) if which == "executed" else Q()


def _status_filter(status: str) -> Q:
    # By the label shown: that of PENDING is the same as of NEW.
    if not status:
        return Q()
    wanted = UNTRIGGERED_STATUSES if status in UNTRIGGERED_STATUSES else (status,)
    return reduce(or_, map(has_shown_status, wanted))


def _trades_of(order: ExchangeOrder) -> list[Trade]:
    # Sorted here: with ORDER BY a database might walk all trades by time.
    return sorted(order.trades.order_by(), key=lambda trade: (trade.create_time_ns, trade.pk), reverse=True)
