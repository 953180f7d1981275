"""Users and groups: an owner manages them, and only a superuser makes or changes a superuser."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from exchange.admin.base import RightsMixin
from exchange.services.permissions import Right

if TYPE_CHECKING:
    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin  # not subscriptable at run time

admin.site.unregister([Group, User])


@admin.register(User)
class DeskUserAdmin(RightsMixin, AnyUserAdmin):
    view_right = change_right = Right.MANAGE

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if _is_superuser(request) else ("is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request) and _is_safe(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request) and _is_safe(request, obj)


@admin.register(Group)
class DeskGroupAdmin(RightsMixin, GroupAdmin):
    view_right = Right.MANAGE

    def _may_change(self, request: HttpRequest) -> bool:
        return _is_superuser(request)  # a permission of Django added to a group could give any right


def _is_safe(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
