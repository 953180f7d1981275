"""Addresses of protection."""

from collections.abc import Callable

from django.urls import URLPattern, path

from oco.api import GroupCancelView, GroupDetailView, GroupListView
from oco.services.validation import AccountContext


def group_urls(*, account_context: Callable[[str], AccountContext]) -> list[URLPattern]:
    """The app knows lots but not how the account stands: who includes it says so."""
    return [
        path("oco-groups/", GroupListView.as_view(account_context=account_context), name="oco-groups"),
        path("oco-groups/<uuid:pk>/", GroupDetailView.as_view(), name="oco-group"),
        path("oco-groups/<uuid:pk>/cancel/", GroupCancelView.as_view(), name="oco-group-cancel"),
    ]
