"""Addresses of protection."""

from collections.abc import Callable
from decimal import Decimal

from django.urls import URLPattern, path

from oco.api import GroupCancel, GroupDetail, GroupList


def group_urls(*, held: Callable[[str], Decimal]) -> list[URLPattern]:
    """The app knows lots but not what the account holds of a currency: who includes it says so."""
    return [
        path("oco-groups/", GroupList.as_view(held=held), name="oco-groups"),
        path("oco-groups/<uuid:pk>/", GroupDetail.as_view(), name="oco-group"),
        path("oco-groups/<uuid:pk>/cancel/", GroupCancel.as_view(), name="oco-group-cancel"),
    ]
