"""What the lists of protection share."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from exchange.admin.base import list_link, uuid_of
from exchange.models import ExchangeOrder
from oco.leg import OcoLeg

if TYPE_CHECKING:
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyInline = admin.TabularInline  # not subscriptable when it runs


def order_link(name: str) -> str:
    """To the order of this id, or of this name while it has no id."""
    return list_link(ExchangeOrder, name, q=name)


def group_searches(term: str, *, pk: str) -> list[Q]:
    """Conditions for rows whose group, in the column `pk`, has this id or an order of this id or name."""
    legs = OcoLeg.objects.order_by()
    found = [
        Q(**{f"{pk}__in": legs.filter(order_id=term).exclude(order_id="").values("group")}),
        Q(**{f"{pk}__in": legs.filter(client_oid=term).values("group")}),
    ]
    return [*found, Q(**{pk: group})] if (group := uuid_of(term)) else found


class ReadOnlyInline(AnyInline):
    """Rows of the record beside their owner."""

    template = "admin/record_inline.html"
    extra = max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
