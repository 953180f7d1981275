"""Orders and prices of the simulator, from the dashboard of a dry run: to see what the desk does about them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from exchange.core.numbers import number_text
from exchange.fields import NumberInputField
from exchange.services.permissions import Right
from exchange.services.simulated_market import (
    SimulatedOrder,
    SimulationRefused,
    simulated_order_place,
    simulated_price_set,
)
from portfolio.formatting import amount_text, instrument_label
from portfolio.security.access import right_required
from portfolio.worker.sync_requests import sync_request

SIDES = ("BUY", "SELL")
PERCENTAGES = ("-12", "-6", "-1", "1", "6", "12")


class SimulatorForm(forms.Form):
    instrument_name = forms.RegexField(r"^[A-Z0-9]{1,20}_[A-Z0-9]{1,20}$", label=gettext_lazy("Instrument"))


class OrderForm(SimulatorForm):
    side = forms.ChoiceField(choices=[(side, side) for side in SIDES])
    amount_usd = NumberInputField(label=gettext_lazy("Amount in USD"))


class PriceForm(SimulatorForm):
    percent = forms.ChoiceField(choices=[(percent, percent) for percent in PERCENTAGES])


def simulator_context(names: Iterable[str]) -> dict[str, Any]:
    """For the card on the dashboard; nothing outside a dry run."""
    if settings.ENVIRONMENT != "DRY_RUN":
        return {}
    percentages = [(percent, number_text(Decimal(percent))) for percent in PERCENTAGES]
    return {"simulator": {"instruments": sorted(set(names)), "percentages": percentages}}


@require_POST
@right_required(Right.TRADE)
def simulate_order(request: HttpRequest) -> HttpResponse:
    """A market order of somebody else, and a cycle to read it."""
    form = _bound(OrderForm, request)
    if form.is_valid():
        try:
            order = simulated_order_place(**form.cleaned_data)
        except SimulationRefused as refusal:
            messages.error(request, str(refusal))
        else:
            sync_request(requested_by=request.user.get_username())
            messages.success(request, _order_text(order))
    else:
        _show_errors(request, form)
    return redirect("home")


@require_POST
@right_required(Right.TRADE)
def simulate_price(request: HttpRequest) -> HttpResponse:
    """A price moved by a percentage, and a cycle to read what it did."""
    form = _bound(PriceForm, request)
    if form.is_valid():
        name = form.cleaned_data["instrument_name"]
        try:
            moved = simulated_price_set(instrument_name=name, percent=Decimal(form.cleaned_data["percent"]))
        except SimulationRefused as refusal:
            messages.error(request, str(refusal))
        else:
            sync_request(requested_by=request.user.get_username())
            text = _("Simulated: %(name)s is now at %(price)s. A sync was requested.")
            messages.success(
                request, text % {"name": instrument_label(name), "price": amount_text(moved.last)}
            )
    else:
        _show_errors(request, form)
    return redirect("home")


def _bound(form: type[SimulatorForm], request: HttpRequest) -> SimulatorForm:
    if settings.ENVIRONMENT != "DRY_RUN":
        raise Http404
    return form(request.POST)


def _order_text(order: SimulatedOrder) -> str:
    texts = {
        "BUY": _(
            "Simulated: %(quantity)s %(coin)s bought at %(price)s. A sync was requested; your policy protects them."
        ),
        "SELL": _("Simulated: %(quantity)s %(coin)s sold at %(price)s. A sync was requested."),
    }
    return texts[order.side] % {
        "quantity": amount_text(order.quantity),
        "coin": order.instrument_name.partition("_")[0],
        "price": amount_text(order.average_price),
    }


def _show_errors(request: HttpRequest, form: SimulatorForm) -> None:
    for name, errors in form.errors.items():
        messages.error(request, f"{form.fields[name].label or name}: {' '.join(map(str, errors))}")
