"""Read-only API of orders and trades; who may read is decided by the project's default permission."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError as InvalidValue
from django.db import DataError
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from exchange.models import ExchangeOrder, Trade
from exchange.schemas import OPEN_STATUSES, TERMINAL_STATUSES
from exchange.selectors import (
    UNKNOWN,
    OrderRow,
    UsdPrices,
    has_shown_status,
    order_rows,
    orders_shown,
    trade_row,
)
from exchange.serializers import OrderSerializer, TradeSerializer

SIDES = [("BUY", "BUY"), ("SELL", "SELL")]
STATUSES = [(one, one) for one in sorted(OPEN_STATUSES | TERMINAL_STATUSES | {UNKNOWN})]


PAGE_PARAMETERS = ("cursor", "page_size", "ordering")


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
    """The time range includes its start and not its end."""

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
        """As shown."""
        return orders.filter(has_shown_status(status))


class TradeFilter(filters.FilterSet):  # type: ignore[misc]  # the package is not typed
    """`order_id` is either id of the order on the exchange."""

    instrument_name = filters.CharFilter()
    side = filters.ChoiceFilter(choices=SIDES)
    order_id = filters.CharFilter()

    class Meta:
        model = Trade
        fields = ("instrument_name", "side", "order_id")


def refuse_empty_parameters(request: Request, view: Any) -> None:
    """`?side=` asks for nothing that is described: a parameter is left out or has a value."""
    filterset = getattr(view, "filterset_class", None)
    known = {*PAGE_PARAMETERS, *(filterset.base_filters if filterset else ())}
    empty = [name for name in request.query_params if name in known and not request.query_params[name]]
    if empty:
        raise ValidationError({name: ["It must have a value."] for name in empty})


class StandardCursorPagination(CursorPagination):
    """Fifty rows, at most 500 on request; nothing is skipped or shown twice when rows come in meanwhile."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int | None:
        requested = request.query_params.get(self.page_size_query_param) or "1"
        if not requested.isascii() or not requested.isdigit() or not requested.strip("0"):
            raise ValidationError({self.page_size_query_param: ["It must be a whole number from 1."]})
        return super().get_page_size(request)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """A made-up cursor may point nowhere."""
        refuse_empty_parameters(request, view)
        try:
            return super().paginate_queryset(queryset, request, view)
        except (InvalidValue, ValueError, OverflowError, DataError):
            raise NotFound(self.invalid_cursor_message) from None

    def get_schema_operation_parameters(self, view: Any) -> Any:
        parameters = super().get_schema_operation_parameters(view)
        for one in parameters:
            if one["name"] == self.page_size_query_param:
                one["schema"] |= {"minimum": 1, "default": self.page_size}
                one["description"] = (
                    f"Rows on a page; more than {self.max_page_size} are {self.max_page_size}."
                )
        return parameters


class StableOrdering(OrderingFilter):
    """Rows of the same instant keep their places: the id decides, in the same direction."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> Sequence[str]:
        requested = list(super().get_ordering(request, queryset, view) or ())[:1]
        return [*requested, *("-id" if term.startswith("-") else "id" for term in requested)]


class OrderView(generics.GenericAPIView[Any]):
    """Common to the list and the single order; the project injects `usd_prices`."""

    serializer_class = OrderSerializer
    usd_prices: Callable[[], UsdPrices] = dict

    def get_queryset(self) -> QuerySet[ExchangeOrder]:
        return orders_shown()

    def rows(self, orders: Sequence[ExchangeOrder]) -> tuple[OrderRow, ...]:
        return order_rows(orders, usd_prices=self.usd_prices())


class OrderList(OrderView, generics.ListAPIView[Any]):
    """Open and finished orders, the last changed first."""

    pagination_class = StandardCursorPagination
    filter_backends = (DjangoFilterBackend, StableOrdering)
    filterset_class = OrderFilter
    ordering_fields = ("updated_at", "created_at")
    ordering = "-updated_at"

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return None if page is None else list(self.rows(page))


class OrderDetail(OrderView, generics.RetrieveAPIView[Any]):
    """One order, by our own id."""

    def get_object(self) -> Any:
        (row,) = self.rows([super().get_object()])
        return row


class TradeList(generics.ListAPIView[Any]):
    """Fills, the newest first."""

    queryset = Trade.objects.all()
    serializer_class = TradeSerializer
    pagination_class = StandardCursorPagination
    filter_backends = (DjangoFilterBackend, StableOrdering)
    filterset_class = TradeFilter
    ordering_fields = ("create_time_ns",)
    ordering = "-create_time_ns"

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        page = super().paginate_queryset(queryset)
        return None if page is None else [trade_row(trade) for trade in page]
