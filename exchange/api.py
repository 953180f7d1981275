"""Orders and trades to read over HTTP. Who may read is settled by the project's default permission."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import generics
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from exchange.filters import OrderFilter, TradeFilter
from exchange.models import ExchangeOrder, Trade
from exchange.paging import Pages
from exchange.rows import OrderRow, UsdPrices
from exchange.selectors import order_rows, orders_shown
from exchange.serializers import OrderSerializer, TradeSerializer


class StableOrdering(OrderingFilter):
    """Rows of the same instant keep their places: the id decides, in the same direction."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> Sequence[str]:
        asked = list(super().get_ordering(request, queryset, view) or ())[:1]
        return [*asked, *("-id" if term.startswith("-") else "id" for term in asked)]


class OrderView(generics.GenericAPIView[Any]):
    """What the list and the single order share; `usd_prices` is told by whoever knows them."""

    serializer_class = OrderSerializer
    usd_prices: Callable[[], UsdPrices] = dict

    def get_queryset(self) -> QuerySet[ExchangeOrder]:
        return orders_shown()

    def rows(self, orders: Sequence[ExchangeOrder]) -> tuple[OrderRow, ...]:
        return order_rows(orders, usd_prices=self.usd_prices())


class OrderList(OrderView, generics.ListAPIView[Any]):
    """Open and finished orders, the last changed first."""

    pagination_class = Pages
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


class TradeList(generics.ListAPIView[Trade]):
    """Fills, the newest first."""

    queryset = Trade.objects.all()
    serializer_class = TradeSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, StableOrdering)
    filterset_class = TradeFilter
    ordering_fields = ("create_time_ns",)
    ordering = "-create_time_ns"
