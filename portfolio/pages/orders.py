"""Orders: the list with its filters, as a page and as a file, and one order."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.models import ExchangeOrder
from portfolio.ledger.answers import (
    AFTER,
    addresses,
    csv_file,
    is_filtered,
    wants_file,
    wants_ids_as_text,
)
from portfolio.ledger.forms import OrderForm
from portfolio.ledger.keyset import Page, Place
from portfolio.ledger.orders import HEAD, LedgerOrder, order_story, orders_file, orders_page
from portfolio.security.access import readers_only


@require_safe
@readers_only
def orders(request: HttpRequest) -> HttpResponseBase:
    """Open and finished orders. A filter that makes no sense shows no order, and why."""
    form = OrderForm(request.GET)
    is_sound = form.is_valid()
    if is_sound and wants_file(request):
        return csv_file("orders", HEAD, orders_file(form), for_sheet=wants_ids_as_text(request))
    page: Page[LedgerOrder] = Page(rows=())
    if is_sound:
        page = orders_page(form, after=Place.read(request.GET.get(AFTER, "")))
    context = {
        "form": form,
        "page": page,
        "at": addresses(request, page),
        "is_filtered": is_sound and is_filtered(form),
    }
    return render(request, "ledger/orders.html", context, status=200 if is_sound else 400)


@require_safe
@readers_only
def order(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One order with its executions and its ids on the exchange."""
    try:
        story = order_story(pk=pk)
    except (ExchangeOrder.DoesNotExist, OverflowError):
        raise Http404 from None
    return render(request, "ledger/order.html", {"story": story})
