"""API tokens in the admin: created for oneself, shown once, revoked."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import RightsAdmin
from exchange.services.permissions import Right
from portfolio.models import ApiToken
from portfolio.security.authentication import VALID_DAYS, token_create, token_revoke

TOKEN_FIELDS = ("label", "scope", "user", "created", "expiry")

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[ApiToken]
else:
    ModelForm = forms.ModelForm  # not subscriptable when it runs


class TokenForm(ModelForm):
    days = forms.IntegerField(
        min_value=VALID_DAYS[0], max_value=VALID_DAYS[-1], initial=90, label=_("Days until it expires")
    )

    class Meta:
        model = ApiToken
        fields = ("label", "scope")


@admin.register(ApiToken)
class ApiTokenAdmin(RightsAdmin):
    """Deleting is revoking. A token can only be created for oneself."""

    list_display = ("__str__", "scope", "user", "created", "expiry")
    list_filter = ("scope",)
    list_select_related = ("user",)
    fields = readonly_fields = TOKEN_FIELDS
    view_right = change_right = Right.MANAGE

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form, then the token, shown once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, context = TokenForm(request.POST or None), self.admin_site.each_context(request)
        if form.is_valid():
            context["token"] = self._create_token(request, form.cleaned_data)
        return render(
            request, "admin/token.html", {"title": gettext("Add API token"), "form": form, **context}
        )

    def _create_token(self, request: HttpRequest, cleaned: dict[str, Any]) -> str:
        by: Any = request.user
        _, text = token_create(user=by, created_by=by.get_username(), **cleaned)
        return text

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        token_revoke(token=obj, revoked_by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset.select_related("user"):
            self.delete_model(request, token)
