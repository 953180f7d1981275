"""Who may read without a login. Everything that changes something needs one in every mode."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself imports this module, by the settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
FORWARDING_PREFIXES = ("HTTP_X_FORWARDED", "HTTP_FORWARDED", "HTTP_CF_")
FORWARDING_HEADERS = frozenset(
    {"HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"}
)

View = Callable[..., HttpResponse]


def may_read(request: HttpRequest) -> bool:
    """By DASHBOARD_PUBLIC (`true`, `loopback`, anything else is `false`), or because someone is logged in."""
    if settings.DASHBOARD_PUBLIC == "true":
        return True
    if settings.DASHBOARD_PUBLIC == "loopback" and from_this_machine(request):
        return True
    return request.user.is_authenticated


def from_this_machine(request: HttpRequest) -> bool:
    """The peer is on the loopback and speaks for itself.

    Behind a proxy every peer is on the loopback, so any trace of one counts as a stranger. A unix socket has
    no peer address at all and is one of a proxy.
    """
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not any(map(_tells_of_a_proxy, request.META))


def _tells_of_a_proxy(name: str) -> bool:
    return name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIXES)


def readers_only(view: View) -> View:
    """A page for those who may read; everybody else is asked to log in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if may_read(request):
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    return guarded


class MayRead(BasePermission):
    """The same rule for the API, which only reads."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return may_read(request._request)
