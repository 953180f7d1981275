"""Orders: the list with its filters, as a page and as a file, and one order."""

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from exchange.models import ExchangeOrder
from portfolio.security.access import readers_only
from portfolio.views.answers import list_answer
from portfolio.views.ledger_orders import HEAD, order_story, orders_file, orders_page
from portfolio.views.list_forms import OrderForm


@require_safe
@readers_only
def orders(request: HttpRequest) -> HttpResponseBase:
    """Open and finished orders. A filter that makes no sense shows no order, and why."""
    form = OrderForm(request.GET)
    return list_answer(request, name="orders", form=form, head=HEAD, file=orders_file, page=orders_page)


@require_safe
@readers_only
def order(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One order with its executions and its ids on the exchange."""
    try:
        story = order_story(pk=pk)
    except (ExchangeOrder.DoesNotExist, OverflowError):
        raise Http404 from None
    return render(request, "ledger/order.html", {"story": story})
