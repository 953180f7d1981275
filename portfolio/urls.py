"""Addresses of the pages and of the API.

Addresses of protection on pages.
"""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from exchange.urls import order_urls
from oco.urls import group_urls
from portfolio.api.openapi import SchemaView, api_docs
from portfolio.api.views import (
    BalanceListView,
    DashboardStateView,
    SignalListView,
    SyncRequestView,
    ValueHistoryView,
    WatchlistView,
)
from portfolio.dashboard.selectors import usd_prices
from portfolio.security.sudo import confirm_password
from portfolio.views.alerts import alert_acknowledge_view, alert_dismiss_view, alert_list
from portfolio.views.audit import audit_list
from portfolio.views.dashboard import dashboard
from portfolio.views.history import history_list
from portfolio.views.orders import order_detail, order_list
from portfolio.views.portfolio import portfolio_overview
from portfolio.views.protection.account import load_account_context
from portfolio.views.protection.group import protection_cancel, protection_detail, protection_result
from portfolio.views.protection.kill_switch import kill_switch, resume_page
from portfolio.views.protection.list import protection_list
from portfolio.views.protection.protect import (
    protect,
    protect_review,
    protect_send,
    protection_fix,
    protection_fix_review,
    protection_fix_send,
)
from portfolio.views.signals import signal_list
from portfolio.views.simulator import simulate_order, simulate_price
from portfolio.views.site import about, health_check, sync_now, update_preferences
from portfolio.views.watchlist import watchlist, watchlist_item

protection_urls = [
    path("protection/", protection_list, name="protection"),
    path("protection/protect/<str:instrument>/", protect, name="protect"),
    path("protection/protect/<str:instrument>/review/", protect_review, name="protect-review"),
    path("protection/protect/<str:instrument>/send/", protect_send, name="protect-send"),
    path("protection/<uuid:pk>/", protection_detail, name="protection-group"),
    path("protection/<uuid:pk>/sent/", protection_result, name="protection-sent"),
    path("protection/<uuid:pk>/fix/", protection_fix, name="protection-fix"),
    path("protection/<uuid:pk>/fix/review/", protection_fix_review, name="protection-fix-review"),
    path("protection/<uuid:pk>/fix/send/", protection_fix_send, name="protection-fix-send"),
    path("protection/<uuid:pk>/cancel/", protection_cancel, name="protection-cancel"),
    path("switch/", kill_switch, name="switch"),
    path("switch/on/", resume_page, name="switch-on"),
]


api_urls = [
    path("dashboard/state", DashboardStateView.as_view(), name="dashboard-state"),
    path("dashboard/state/", DashboardStateView.as_view(schema=None)),
    path("sync/", SyncRequestView.as_view(), name="sync"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", api_docs, name="docs"),
    path("balances/", BalanceListView.as_view(), name="balances"),
    path("watchlist/", WatchlistView.as_view(), name="api-watchlist"),
    path("signals/", SignalListView.as_view(), name="api-signals"),
    path("portfolio/history/", ValueHistoryView.as_view(), name="portfolio-history"),
    *order_urls(usd_prices=usd_prices),
    *group_urls(account_context=load_account_context),
]
page_urls = [
    path("", dashboard, name="home"),
    path("health", health_check, name="health"),
    path("sync-now/", sync_now, name="sync-now"),
    path("portfolio/", portfolio_overview, name="portfolio"),
    path("orders/", order_list, name="orders"),
    path("orders/<int:pk>/", order_detail, name="order"),
    path("history/", history_list, name="history"),
    path("display/", update_preferences, name="display"),
    path("simulator/order/", simulate_order, name="simulate-order"),
    path("simulator/price/", simulate_price, name="simulate-price"),
    path("watchlist/", watchlist, name="watchlist"),
    path("watchlist/<int:pk>/", watchlist_item, name="watchlist-item"),
    path("signals/", signal_list, name="signals"),
    path("about/", about, name="about"),
    path("alerts/", alert_list, name="alerts"),
    path("audit/", audit_list, name="audit"),
    path("alerts/acknowledge/", alert_acknowledge_view, name="alerts-acknowledge"),
    path("alerts/dismiss/", alert_dismiss_view, name="alerts-dismiss"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("sudo/", confirm_password, name="sudo"),
    *protection_urls,
]
