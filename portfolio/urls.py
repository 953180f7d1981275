"""Addresses of the pages and of the API."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from exchange.urls import order_urls
from oco.urls import group_urls
from portfolio.api import BalanceList, DashboardState
from portfolio.selectors import held_of, usd_prices
from portfolio.views import health_check, home, sync_now

api = [
    path("dashboard/state", DashboardState.as_view(), name="dashboard-state"),
    path("dashboard/state/", DashboardState.as_view()),
    path("balances/", BalanceList.as_view(), name="balances"),
    *order_urls(usd_prices=usd_prices),
    *group_urls(held=held_of),
]
pages = [
    path("", home, name="home"),
    path("health", health_check, name="health"),
    path("sync-now/", sync_now, name="sync-now"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
