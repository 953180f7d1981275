"""Who may read without a login. Every change needs a login or a token, in every mode."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from portfolio.models import ApiToken
from portfolio.security.sudo import has_recent_password

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module, through the settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
FORWARDING_PREFIXES = ("HTTP_X_FORWARDED", "HTTP_X_ORIGINAL", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_CF_")
FORWARDING_ENDINGS = ("_REAL_IP", "_CLIENT_IP", "_CLIENTIP", "_REMOTE_IP", "_REMOTE_ADDR")

READ_ONLY_SCOPE = (
    "This token is read-only. Create one with the scope trade: manage.py api_token create --scope trade …"
)
NEEDS_A_USER = (
    "This removes protection, which needs a user and not a token: log in and do it on the protection page, "
    "or use the cookie of a session whose password was confirmed in the last five minutes."
)
CONFIRMATION_TOO_OLD = (
    "This removes protection: confirm your password at /sudo/, then try again within five minutes."
)

View = Callable[..., HttpResponseBase]


def may_read(request: HttpRequest) -> bool:
    """By DASHBOARD_PUBLIC (`true`, `loopback`, anything else is `false`), or because the user is logged in."""
    if settings.DASHBOARD_PUBLIC == "true":
        return True
    if settings.DASHBOARD_PUBLIC == "loopback" and is_from_loopback(request):
        return True
    return request.user.is_authenticated


def is_from_loopback(request: HttpRequest) -> bool:
    """The peer is on the loopback and no proxy is in between.

    Behind a proxy every peer is on the loopback, so any header of a proxy means no. A unix socket has no peer address
    and belongs to a proxy.
    """
    peer = request.META.get("REMOTE_ADDR")
    is_local = peer in LOOPBACK or peer in settings.LOCAL_PEERS
    return is_local and not any(map(_is_proxy_header, request.META))


def _is_proxy_header(name: str) -> bool:
    is_header = name.startswith("HTTP_")  # unlike REMOTE_ADDR
    return is_header and (name.startswith(FORWARDING_PREFIXES) or name.endswith(FORWARDING_ENDINGS))


def read_access_required(view: View) -> View:
    """Other users are sent to the login."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if may_read(request):
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    return wrapper


class ApiPermission(BasePermission):
    """The rule of the whole API, by method and user.

    Reading is as for the pages. Changes need a login or a token with the scope `trade`. A view with
    `weakens_protection = True` needs a user who confirmed the password in the last five minutes, never a token.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method not in view.allowed_methods:
            return True  # the response is 405
        if request.method in SAFE_METHODS:
            return may_read(request._request)
        refusal = _refusal_message(request, weakening=getattr(view, "weakens_protection", False))
        if refusal:
            raise PermissionDenied(refusal)
        return bool(request.user.is_authenticated)


def _refusal_message(request: Request, *, weakening: bool) -> str | None:
    # None for an anonymous user, who gets 401.
    token = request.auth
    if isinstance(token, ApiToken):
        return NEEDS_A_USER if weakening else None if token.can_write else READ_ONLY_SCOPE
    if weakening and request.user.is_authenticated and not has_recent_password(request._request):
        return CONFIRMATION_TOO_OLD
    return None
