"""Users and groups: an owner manages them, and only a superuser makes or changes a superuser. And their API tokens."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.admin.base import DASH, AnyAdmin, RightsAdmin, RightsMixin, display
from exchange.services.permissions import Right, right_label, right_permissions
from portfolio.models import ApiToken
from portfolio.security.authentication import VALID_DAYS, token_create, token_revoke

if TYPE_CHECKING:
    AnyUserAdmin = UserAdmin[User]
    ChoiceField = ModelMultipleChoiceField[Permission]
    ModelForm = forms.ModelForm[ApiToken]
else:  # not subscriptable at run time
    AnyUserAdmin = UserAdmin
    ChoiceField = ModelMultipleChoiceField
    ModelForm = forms.ModelForm

admin.site.unregister([Group, User])
TOKEN_FIELDS = ("label", "scope", "user", "created", "expiry")


# Users and groups


class RightsField(ChoiceField):
    def label_from_instance(self, obj: Permission) -> str:
        return right_label(obj)


class RightsFieldMixin(AnyAdmin):
    """Offers the rights of this program instead of Django's four permissions of each model, which nothing asks for."""

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Permission:
            kwargs |= {"form_class": RightsField, "queryset": right_permissions()}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @display(description=_("rights"))
    def rights(self, owner: User | Group) -> str:
        granted = owner.user_permissions if isinstance(owner, User) else owner.permissions
        return ", ".join(map(right_label, right_permissions().filter(pk__in=granted.all()))) or DASH


@admin.register(User)
class DeskUserAdmin(RightsFieldMixin, RightsMixin, AnyUserAdmin):
    view_right = change_right = Right.MANAGE

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if _is_superuser(request):
            return fieldsets
        return [
            (title, options | {"fields": _with_rights(options["fields"])}) for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if _is_superuser(request) else ("is_superuser", "rights")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request) and _is_safe(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request) and _is_safe(request, obj)


@admin.register(Group)
class DeskGroupAdmin(RightsFieldMixin, RightsMixin, GroupAdmin):
    view_right = Right.MANAGE
    readonly_fields = ("rights",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "permissions" if _is_superuser(request) else "rights")

    def _may_change(self, request: HttpRequest) -> bool:
        return _is_superuser(request)  # a permission of Django added to a group could give any right


def _with_rights(fields: Any) -> tuple[Any, ...]:
    return tuple("rights" if name == "user_permissions" else name for name in fields)


def _is_safe(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


# API tokens: created for oneself, shown once, revoked


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
