"""Who may read without a login. Everything that changes something needs a login or a token in every mode."""

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
    from rest_framework.views import APIView  # which itself imports this module, by the settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
FORWARDING_PREFIXES = ("HTTP_X_FORWARDED", "HTTP_X_ORIGINAL", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_CF_")
FORWARDING_ENDINGS = ("_REAL_IP", "_CLIENT_IP", "_CLIENTIP", "_REMOTE_IP", "_REMOTE_ADDR")

READ_ONLY_SCOPE = "This token only reads. Make one that may trade: manage.py api_token create --scope trade …"
NEEDS_A_PERSON = (
    "This takes protection away, which needs a person and no token: log in on the desk and do it on its page, "
    "or ask with the cookie of a session whose password was given in the last five minutes."
)
CONFIRMATION_TOO_OLD = (
    "This takes protection away: give your password once more at /sudo/, then ask again within five minutes."
)

View = Callable[..., HttpResponseBase]


def may_read(request: HttpRequest) -> bool:
    """By DASHBOARD_PUBLIC (`true`, `loopback`, anything else is `false`), or because someone is logged in."""
    if settings.DASHBOARD_PUBLIC == "true":
        return True
    if settings.DASHBOARD_PUBLIC == "loopback" and is_from_loopback(request):
        return True
    return request.user.is_authenticated


def is_from_loopback(request: HttpRequest) -> bool:
    """The peer is on the loopback and speaks for itself.

    Behind a proxy every peer is on the loopback, so any trace of one counts as a stranger. A unix socket has
    no peer address at all and is one of a proxy.
    """
    peer = request.META.get("REMOTE_ADDR")
    is_local = peer in LOOPBACK or peer in settings.LOCAL_PEERS
    return is_local and not any(map(_is_proxy_header, request.META))


def _is_proxy_header(name: str) -> bool:
    is_header = name.startswith("HTTP_")  # REMOTE_ADDR is none
    return is_header and (name.startswith(FORWARDING_PREFIXES) or name.endswith(FORWARDING_ENDINGS))


def read_access_required(view: View) -> View:
    """A page for those who may read; everybody else is asked to log in."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if may_read(request):
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    return wrapper


class ApiPermission(BasePermission):
    """The rule of the whole API, by the method and by who asks.

    Reading is as for the pages. Changing needs a login or a token with the scope `trade`. A view that says
    `weakens_protection = True` needs a person who gave the password in the last five minutes, never a token.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method not in view.allowed_methods:
            return True  # to be told that there is no such method
        if request.method in SAFE_METHODS:
            return may_read(request._request)
        refusal = _refusal_message(request, weakening=getattr(view, "weakens_protection", False))
        if refusal:
            raise PermissionDenied(refusal)
        return bool(request.user.is_authenticated)


def _refusal_message(request: Request, *, weakening: bool) -> str | None:
    """Why whoever it is may not change this, and what to do; None for a stranger, who is asked who it is."""
    token = request.auth
    if isinstance(token, ApiToken):
        return NEEDS_A_PERSON if weakening else None if token.can_write else READ_ONLY_SCOPE
    if weakening and request.user.is_authenticated and not has_recent_password(request._request):
        return CONFIRMATION_TOO_OLD
    return None
