"""Addresses of the pages and of the API."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from exchange.urls import order_urls
from oco.urls import group_urls
from portfolio.api.api import BalanceList, DashboardState, SyncNow
from portfolio.api.market_api import SignalList, Watchlist
from portfolio.api.page import Schema, docs
from portfolio.api.worth_api import ValueHistory
from portfolio.dashboard.selectors import usd_prices
from portfolio.protection_urls import protection_pages
from portfolio.security.sudo import confirm
from portfolio.views.alerts import acknowledge, alerts
from portfolio.views.audit import audit
from portfolio.views.dashboard import home
from portfolio.views.history import history
from portfolio.views.orders import order, orders
from portfolio.views.portfolio import portfolio
from portfolio.views.protection.account import standing_of
from portfolio.views.signals import signals
from portfolio.views.site import about, display, health_check, sync_now
from portfolio.views.watchlist import watchlist, watchlist_item

api = [
    path("dashboard/state", DashboardState.as_view(), name="dashboard-state"),
    path("dashboard/state/", DashboardState.as_view(schema=None)),
    path("sync/", SyncNow.as_view(), name="sync"),
    path("schema/", Schema.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("balances/", BalanceList.as_view(), name="balances"),
    path("watchlist/", Watchlist.as_view(), name="api-watchlist"),
    path("signals/", SignalList.as_view(), name="api-signals"),
    path("portfolio/history/", ValueHistory.as_view(), name="portfolio-history"),
    *order_urls(usd_prices=usd_prices),
    *group_urls(standing=standing_of),
]
pages = [
    path("", home, name="home"),
    path("health", health_check, name="health"),
    path("sync-now/", sync_now, name="sync-now"),
    path("portfolio/", portfolio, name="portfolio"),
    path("orders/", orders, name="orders"),
    path("orders/<int:pk>/", order, name="order"),
    path("history/", history, name="history"),
    path("display/", display, name="display"),
    path("watchlist/", watchlist, name="watchlist"),
    path("watchlist/<int:pk>/", watchlist_item, name="watchlist-item"),
    path("signals/", signals, name="signals"),
    path("about/", about, name="about"),
    path("alerts/", alerts, name="alerts"),
    path("audit/", audit, name="audit"),
    path("alerts/acknowledge/", acknowledge, name="alerts-acknowledge"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("sudo/", confirm, name="sudo"),
    *protection_pages,
]
