"""Addresses of protection."""

from collections.abc import Callable

from django.urls import URLPattern, path

from oco.api import GroupCancel, GroupDetail, GroupList
from oco.services.validation import Standing


def group_urls(*, standing: Callable[[str], Standing]) -> list[URLPattern]:
    """The app knows lots but not how the account stands: who includes it says so."""
    return [
        path("oco-groups/", GroupList.as_view(standing=standing), name="oco-groups"),
        path("oco-groups/<uuid:pk>/", GroupDetail.as_view(), name="oco-group"),
        path("oco-groups/<uuid:pk>/cancel/", GroupCancel.as_view(), name="oco-group-cancel"),
    ]
