"""Addresses of the pages and of the API.

Addresses of protection on pages.
"""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from exchange.urls import order_urls
from oco.urls import group_urls
from portfolio.api.openapi import Schema, docs
from portfolio.api.views import BalanceList, DashboardState, SignalList, SyncNow, ValueHistory, Watchlist
from portfolio.dashboard.selectors import usd_prices
from portfolio.security.sudo import confirm
from portfolio.views.alerts import acknowledge, alerts
from portfolio.views.audit import audit
from portfolio.views.dashboard import home
from portfolio.views.history import history
from portfolio.views.orders import order, orders
from portfolio.views.portfolio import portfolio
from portfolio.views.protection.account import standing_of
from portfolio.views.protection.cancel import cancel
from portfolio.views.protection.detail import protection_group, protection_sent
from portfolio.views.protection.kill_switch import switch, switch_on_again
from portfolio.views.protection.list import protection
from portfolio.views.protection.protect import (
    fix,
    fix_review,
    fix_send,
    protect,
    protect_review,
    protect_send,
)
from portfolio.views.signals import signals
from portfolio.views.site import about, display, health_check, sync_now
from portfolio.views.watchlist import watchlist, watchlist_item

protection_pages = [
    path("protection/", protection, name="protection"),
    path("protection/protect/<str:instrument>/", protect, name="protect"),
    path("protection/protect/<str:instrument>/review/", protect_review, name="protect-review"),
    path("protection/protect/<str:instrument>/send/", protect_send, name="protect-send"),
    path("protection/<uuid:pk>/", protection_group, name="protection-group"),
    path("protection/<uuid:pk>/sent/", protection_sent, name="protection-sent"),
    path("protection/<uuid:pk>/fix/", fix, name="protection-fix"),
    path("protection/<uuid:pk>/fix/review/", fix_review, name="protection-fix-review"),
    path("protection/<uuid:pk>/fix/send/", fix_send, name="protection-fix-send"),
    path("protection/<uuid:pk>/cancel/", cancel, name="protection-cancel"),
    path("switch/", switch, name="switch"),
    path("switch/on/", switch_on_again, name="switch-on"),
]


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
