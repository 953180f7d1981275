"""Addresses of protection on pages."""

from django.urls import path

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
