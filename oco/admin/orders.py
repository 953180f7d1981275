"""Orders in the admin, with what they protect."""

from django.contrib import admin

from exchange.admin.base import group_link
from exchange.admin.orders import ExchangeOrderAdmin
from exchange.models import ExchangeOrder
from oco.admin.paths import alerts_of, audit_of, events_of

NONE = "Part of no protection"


@admin.register(ExchangeOrder)
class ProtectedOrderAdmin(ExchangeOrderAdmin):
    """Registered here, where it is known what belongs to a group."""

    readonly_fields = (*ExchangeOrderAdmin.readonly_fields, "group", "events", "audit", "alerts")

    @admin.display(description="protection", empty_value=NONE)
    def group(self, order: ExchangeOrder) -> str | None:
        return group_link(order.oco_group_id) if order.oco_group_id else None

    @admin.display(description="journal", empty_value=NONE)
    def events(self, order: ExchangeOrder) -> str | None:
        return events_of(order.oco_group_id) if order.oco_group_id else None

    @admin.display(description="audit log", empty_value=NONE)
    def audit(self, order: ExchangeOrder) -> str | None:
        return audit_of(order.oco_group_id) if order.oco_group_id else None

    @admin.display(description="alerts", empty_value=NONE)
    def alerts(self, order: ExchangeOrder) -> str | None:
        return alerts_of(order.oco_group_id) if order.oco_group_id else None
