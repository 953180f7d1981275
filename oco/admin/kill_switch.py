"""The kill switch: one click turns trading off; turning it on again records the user's name."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from exchange.admin.base import ReadOnlyAdmin, display, format_to_second
from exchange.models import TradingSwitch
from exchange.services.order_execution import create_blocked_reason
from exchange.services.permissions import Right, has_right
from oco.presentation.reasons import render_reason
from oco.services.kill_switch import resume_trading, stop_trading, trading_is_stopped
from oco.services.validation import NotPossible

NAME_LENGTH, REASON_LENGTH = 64, 255


@admin.register(TradingSwitch)
class TradingSwitchAdmin(ReadOnlyAdmin):
    change_list_template = "admin/switch_list.html"
    list_display = ("__str__", "changed_by", "reason", "moment")

    def get_urls(self) -> list[URLPattern]:
        turn = self.admin_site.admin_view(require_POST(self.turn))
        return [path("turn/", turn, name="exchange_tradingswitch_turn"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        known = {
            "blocked": render_reason(create_blocked_reason()),
            "is_switched_off": trading_is_stopped(),
            "may_turn": may_turn(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **known})

    def turn(self, request: HttpRequest) -> HttpResponse:
        if not may_turn(request):
            raise PermissionDenied
        turn = resume_trading if request.POST.get("to") == "on" else stop_trading
        name, reason = request.user.get_username()[:NAME_LENGTH], request.POST.get("reason", "")
        try:
            switch = turn(changed_by=name, now=timezone.now(), reason=reason.strip()[:REASON_LENGTH])
            messages.success(request, f"{switch}.")
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect("admin:exchange_tradingswitch_changelist")

    @display(description=_("changed at"))
    def moment(self, switch: TradingSwitch) -> str | None:
        return format_to_second(switch.changed_at)


def may_turn(request: HttpRequest) -> bool:
    return has_right(request.user, Right.MANAGE)
