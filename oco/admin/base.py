"""What the lists of protection share."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from exchange.admin.orders import list_link
from exchange.models import ExchangeOrder

if TYPE_CHECKING:
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyInline = admin.TabularInline  # not subscriptable when it runs


def order_link(name: str) -> str:
    """To the order of this id, or of this name while it has no id."""
    return list_link(ExchangeOrder, name, q=name)


class ReadOnlyInline(AnyInline):
    """Rows of the record beside their owner."""

    extra = max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
