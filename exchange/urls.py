"""Addresses of orders and trades."""

from collections.abc import Callable

from django.urls import URLPattern, path

from exchange.api import OrderDetail, OrderList, TradeList
from exchange.selectors import UsdPrices


def order_urls(*, usd_prices: Callable[[], UsdPrices]) -> list[URLPattern]:
    """`usd_prices` is injected: this app does not know what a currency is worth in USD."""
    return [
        path("orders/", OrderList.as_view(usd_prices=usd_prices), name="api-orders"),
        path("orders/<int:pk>/", OrderDetail.as_view(usd_prices=usd_prices), name="api-order"),
        path("trades/", TradeList.as_view(), name="trades"),
    ]
