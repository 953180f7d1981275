"""Addresses of protection on pages."""

from django.urls import path

from portfolio.pages.protection.cancelling import cancel
from portfolio.pages.protection.fixing import fix, fix_review, fix_send
from portfolio.pages.protection.group import protection_group, protection_sent
from portfolio.pages.protection.listing import protection
from portfolio.pages.protection.protecting import protect, protect_review, protect_send
from portfolio.pages.protection.switching import switch, switch_on_again

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
