"""What a list of orders or trades can be asked for; a value that makes no sense is a 400 that names it."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField

from exchange.models import ExchangeOrder, Trade
from exchange.rows import UNKNOWN
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES

SIDES = [("BUY", "BUY"), ("SELL", "SELL")]
STATUSES = [(one, one) for one in sorted(OPEN_STATUSES | TERMINAL_STATUSES | {UNKNOWN})]


class UtcField(IsoDateTimeField):  # type: ignore[misc]  # the package is not typed
    """An ISO 8601 time, in UTC: databases know fewer offsets than ISO does. Without an offset it is UTC."""

    def clean(self, value: Any) -> datetime | None:
        try:
            with timezone.override(UTC):
                found = super().clean(value)
            return None if found is None else found.astimezone(UTC)
        except OverflowError:
            raise InvalidValue("No such time is known.") from None


class UtcFilter(filters.IsoDateTimeFilter):  # type: ignore[misc]  # the package is not typed
    field_class = UtcField


class OrderFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    """The span of time has its start and not its end."""

    status = filters.ChoiceFilter(choices=STATUSES, method="with_status")
    side = filters.ChoiceFilter(choices=SIDES)
    instrument_name = filters.CharFilter()
    order_role = filters.ChoiceFilter(choices=ExchangeOrder.Role.choices)
    origin = filters.ChoiceFilter(choices=ExchangeOrder.Origin.choices)
    oco_group_id = filters.UUIDFilter()
    created_after = UtcFilter(field_name="created_at", lookup_expr="gte")
    created_before = UtcFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = ExchangeOrder
        fields = ("status", "side", "instrument_name", "order_role", "origin", "oco_group_id")

    def with_status(self, orders: QuerySet[Any], name: str, status: str) -> QuerySet[Any]:
        """As shown: an order that went missing is UNKNOWN, whatever its last status was."""
        unknown = Q(is_open=True, missing_since__isnull=False)
        return orders.filter(unknown if status == UNKNOWN else Q(status=status, missing_since=None))


class TradeFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    """`order_id` is either id of the order on the exchange."""

    instrument_name = filters.CharFilter()
    side = filters.ChoiceFilter(choices=SIDES)
    order_id = filters.CharFilter()

    class Meta:
        model = Trade
        fields = ("instrument_name", "side", "order_id")
