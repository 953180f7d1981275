"""Balances, derivative positions and policies in the admin, and the form that protects a held position."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import ConditionFilter, ReadOnlyAdmin
from exchange.services.permissions import Right, has_right
from oco.admin import PolicyAdmin
from oco.forms import ProtectForm
from oco.models import ProtectionPolicy
from oco.policies import policy_for
from oco.presentation.positions import pairs_of
from oco.presentation.previews import Holdings, coin_preview
from oco.services.groups import group_create
from oco.services.validation import NotPossible, available_quantity
from portfolio.dashboard.selectors import load_holdings
from portfolio.models import Balance, Perpetual
from portfolio.views.protection.account import load_account_context

NAME_LENGTH = 64


class UnpricedFilter(ConditionFilter):
    title = _("price")
    parameter_name = "price"
    options = (("none", _("Held, price unknown"), Q(price_usd=None) & ~Q(quantity=0)),)


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    list_display = (
        "currency",
        "quantity",
        "available",
        "reserved",
        "price_usd",
        "market_value_usd",
        "read_at",
        "on_desk",
    )
    change_list_template = "admin/sync_now_list.html"
    list_filter = (UnpricedFilter,)
    search_fields = ("currency",)
    actions = ("protect_held",)

    def view_on_site(self, balance: Balance) -> str:
        return reverse("portfolio")

    def has_protect_permission(self, request: HttpRequest) -> bool:
        return has_right(request.user, Right.TRADE)

    @admin.action(description=_("Protect held position…"), permissions=["protect"])
    def protect_held(self, request: HttpRequest, queryset: QuerySet[Balance]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) == 1:
            return redirect("admin:portfolio_balance_protect", chosen[0].currency)
        text = gettext("Choose one position: each has its own stop loss and take profit.")
        messages.warning(request, text)
        return None

    def get_urls(self) -> list[URLPattern]:
        protect = self.admin_site.admin_view(self.protect)
        name = "portfolio_balance_protect"
        return [path("<str:currency>/protect/", protect, name=name), *super().get_urls()]

    def protect(self, request: HttpRequest, currency: str) -> HttpResponse:
        """The form for stop loss and take profit; the worker places the orders."""
        if not self.has_protect_permission(request):
            raise PermissionDenied
        balance = get_object_or_404(Balance, currency=currency)
        pairs = pairs_of([currency]).get(currency, [])
        form = ProtectForm(
            request.POST or None, pairs=[pair.symbol for pair in pairs], initial=_initial_levels(currency)
        )
        if form.is_valid() and self._create_group(request, form, balance):
            return redirect("admin:oco_ocogroup_changelist")
        title = gettext("Protect {currency}").format(currency=currency)
        context = {"form": form, "balance": balance, "title": title}
        context |= self.admin_site.each_context(request)
        return render(request, "admin/protect.html", context)

    def _create_group(self, request: HttpRequest, form: ProtectForm, balance: Balance) -> bool:
        # Whether it was stored; the form shows why not.
        name, now = request.user.get_username()[:NAME_LENGTH], timezone.now()
        try:
            group_values = form.group_values()
            account_context = load_account_context(group_values["instrument_name"])
            group = group_create(**group_values, account_context=account_context, requested_by=name, now=now)
        except NotPossible as refusal:
            form.add_error(refusal.field or None, str(refusal))
            return False
        text = gettext("Protection requested: {group}. The worker places the orders next.")
        messages.success(request, text.format(group=group))
        return True


def _initial_levels(currency: str) -> dict[str, Any]:
    # The available quantity, and the policy of its first pair at the current price.
    pair = next(iter(pairs_of([currency]).get(currency, [])), None)
    holdings = load_holdings()
    preview = pair and coin_preview(pair, policy_for(pair.symbol), holdings)
    if not pair or not preview:
        return {}
    return {
        "instrument_name": preview.instrument_name,
        "quantity": available_quantity(instrument=pair, held=holdings.held.get(currency, Decimal())),
        "stop_price": preview.stop,
        "take_profit_price": preview.target,
    }


@admin.register(Perpetual)
class PerpetualAdmin(ReadOnlyAdmin):
    list_display = ("instrument_name", "quantity", "market_value_usd", "since", "read_at")


@admin.register(ProtectionPolicy)
class HoldingsPolicyAdmin(PolicyAdmin):
    """Registered here, where the balances are known."""

    def holdings(self) -> Holdings:
        return load_holdings()
