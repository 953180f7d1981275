"""The action that takes protection away: it names what is lost, and asks once more."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from exchange.admin.base import AnyAdmin
from exchange.fields import plain
from oco.group import OcoGroup
from oco.services.groups import group_cancel
from oco.services.refusal import NotPossible

NAME_LENGTH = 64


class Cancelling(AnyAdmin):
    """For the list of groups. The password is asked for by whoever stands before the admin."""

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("oco.change_ocogroup")

    @admin.action(description="Cancel protection: the coins stay, without a stop…", permissions=["cancel"])
    def cancel_protection(self, request: HttpRequest, queryset: QuerySet[OcoGroup]) -> HttpResponse | None:
        if "sure" not in request.POST:
            return self._asked(request, queryset)
        name = request.user.get_username()[:NAME_LENGTH]
        for group in queryset:
            _cancel(request, group, name)
        return None

    def _asked(self, request: HttpRequest, queryset: QuerySet[OcoGroup]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Cancel protection?",
            "groups": queryset,
            "chosen": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        return render(request, "admin/cancel_protection.html", context)


def _cancel(request: HttpRequest, group: OcoGroup, name: str) -> None:
    try:
        group_cancel(group_id=group.pk, requested_by=name, now=timezone.now())
    except NotPossible as refusal:
        messages.warning(request, f"{group}: {refusal}")
        return
    words = f"{group.instrument_name} {plain(group.quantity)}: the worker cancels its orders next."
    messages.success(request, words)
