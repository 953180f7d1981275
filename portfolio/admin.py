"""What is held and what must be told, in the admin; and the forms that need to know what is held."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone

from exchange.admin.base import ReadOnlyAdmin, to_the_second
from exchange.admin.filters import QuestionFilter
from exchange.admin.orders import list_link
from oco.admin import PolicyAdmin
from oco.forms import ProtectForm
from oco.models import OcoGroup, ProtectionPolicy
from oco.overview import pairs_of
from oco.policies import policy_for
from oco.preview import Holdings, coin_preview, unclaimed
from oco.services import NotPossible, group_create
from portfolio.models import Alert, Balance
from portfolio.selectors import holdings_now
from portfolio.services.alerts import alert_acknowledge

NAME_LENGTH = 64


@admin.register(ProtectionPolicy)
class HeldPolicyAdmin(PolicyAdmin):
    """Registered here, where it is known what is held."""

    def holdings(self) -> Holdings:
        return holdings_now()


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
    )
    search_fields = ("currency",)
    actions = ("protect_held",)

    def has_protect_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("oco.add_ocogroup"))

    @admin.action(description="Protect held position…", permissions=["protect"])
    def protect_held(self, request: HttpRequest, queryset: QuerySet[Balance]) -> HttpResponse | None:
        chosen = list(queryset[:2])
        if len(chosen) == 1:
            return redirect("admin:portfolio_balance_protect", chosen[0].currency)
        messages.warning(request, "Choose one position: each has its own stop and target.")
        return None

    def get_urls(self) -> list[URLPattern]:
        protect = self.admin_site.admin_view(self.protect)
        name = "portfolio_balance_protect"
        return [path("<str:currency>/protect/", protect, name=name), *super().get_urls()]

    def protect(self, request: HttpRequest, currency: str) -> HttpResponse:
        """Asks for stop and target; what is asked is written down for the worker."""
        if not self.has_protect_permission(request):
            raise PermissionDenied
        balance = get_object_or_404(Balance, currency=currency)
        pairs = pairs_of([currency]).get(currency, [])
        form = ProtectForm(
            request.POST or None, pairs=[pair.symbol for pair in pairs], initial=_proposal(currency)
        )
        if form.is_valid() and self._created(request, form, balance):
            return redirect("admin:oco_ocogroup_changelist")
        context = {"form": form, "balance": balance, "title": f"Protect {currency}"}
        context |= self.admin_site.each_context(request)
        return render(request, "admin/protect.html", context)

    def _created(self, request: HttpRequest, form: ProtectForm, balance: Balance) -> bool:
        """Whether it could be written down; why not is on the form."""
        name, now = request.user.get_username()[:NAME_LENGTH], timezone.now()
        try:
            group = group_create(**form.asked(), held=balance.quantity, requested_by=name, now=now)
        except NotPossible as refusal:
            form.add_error(refusal.field or None, str(refusal))
            return False
        messages.success(request, f"Written down: {group}. The worker places its orders next.")
        return True


def _proposal(currency: str) -> dict[str, Any]:
    """What has no protection yet, by the policy of its first pair, from the price now."""
    pair = next(iter(pairs_of([currency]).get(currency, [])), None)
    shown = pair and coin_preview(pair, policy_for(pair.symbol), unclaimed(holdings_now()))
    if not shown:
        return {}
    return {
        "instrument_name": shown.instrument_name,
        "quantity": shown.quantity,
        "stop_price": shown.stop,
        "take_profit_price": shown.target,
    }


class ToAcknowledge(QuestionFilter):
    title = "acknowledged"
    parameter_name = "seen"
    answers = (
        ("no", "Not yet", Q(acknowledged_at=None)),
        ("yes", "Yes", Q(acknowledged_at__isnull=False)),
    )


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("raised", "kind", "title", "text", "group", "state", "acknowledged_by")
    list_filter = (ToAcknowledge, "kind", "state")
    actions = ("acknowledge",)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("portfolio.change_alert"))

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        name, now = request.user.get_username()[:NAME_LENGTH], timezone.now()
        done = [alert_acknowledge(alert=alert, acknowledged_by=name, now=now) for alert in queryset]
        messages.success(request, f"{sum(done)} acknowledged.")

    @admin.display(description="raised at")
    def raised(self, alert: Alert) -> str | None:
        return to_the_second(alert.raised_at)

    @admin.display(description="group", empty_value="")
    def group(self, alert: Alert) -> str | None:
        if alert.oco_group_id is None:
            return None
        return list_link(OcoGroup, alert.instrument_name, oco_group_id__exact=str(alert.oco_group_id))
