"""Who may read without a login. Every change needs a login or a token, in every mode."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import PermissionDenied as ApiPermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from exchange.core.hosts import is_loopback_name
from exchange.services.permissions import REFUSALS, Right, has_right
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
    """By DASHBOARD_PUBLIC (`true`, `loopback`, anything else is `false`), or by the right of the user."""
    if settings.DASHBOARD_PUBLIC == "true":
        return True
    if settings.DASHBOARD_PUBLIC == "loopback" and is_from_loopback(request):
        return True
    return has_right(request.user, Right.VIEW)


def is_from_loopback(request: HttpRequest) -> bool:
    """The peer is on the loopback, asks by a name of the loopback, and no proxy is in between.

    Behind a proxy every peer is on the loopback, so any header of a proxy means no. A unix socket has no peer address
    and belongs to a proxy. Another name in Host is that of a proxy, or of a foreign page that resolves to this machine.
    """
    peer = request.META.get("REMOTE_ADDR")
    is_local = peer in LOOPBACK or peer in settings.LOCAL_PEERS
    is_local = is_local and is_loopback_name(request.META.get("HTTP_HOST", ""))
    return is_local and not any(map(_is_proxy_header, request.META))


def _is_proxy_header(name: str) -> bool:
    is_header = name.startswith("HTTP_")  # unlike REMOTE_ADDR
    return is_header and (name.startswith(FORWARDING_PREFIXES) or name.endswith(FORWARDING_ENDINGS))


def read_access_required(view: View) -> View:
    """Others are sent to the login, and users without the right are refused."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if may_read(request):
            return view(request, *args, **kwargs)
        return _refuse(request, Right.VIEW)

    return wrapper


def right_required(right: Right) -> Callable[[View], View]:
    """For a page that prepares a change; the services ask again."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if has_right(request.user, right):
                return view(request, *args, **kwargs)
            return _refuse(request, right)

        return wrapper

    return decorate


def _refuse(request: HttpRequest, right: Right) -> HttpResponseBase:
    if request.user.is_authenticated:
        raise PermissionDenied(str(REFUSALS[right]))
    return redirect_to_login(request.get_full_path())


class ApiPermission(BasePermission):
    """The rule of the whole API, by method and user.

    Reading is as for the pages. Changes need the right TRADE, and a token with the scope `trade` if it is one. A view
    with `weakens_protection = True` needs the right MANAGE and a user who confirmed the password in the last five
    minutes, never a token.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method not in view.allowed_methods:
            return True  # the response is 405
        if request.method in SAFE_METHODS:
            return may_read(request._request) or _refuse_reading(request)
        refusal = _refusal_message(request, weakening=getattr(view, "weakens_protection", False))
        if refusal:
            raise ApiPermissionDenied(refusal)
        return bool(request.user.is_authenticated)


def _refuse_reading(request: Request) -> bool:
    # A user without the right gets 403 with a sentence; an anonymous one 401.
    if request.user.is_authenticated:
        raise ApiPermissionDenied(str(REFUSALS[Right.VIEW]))
    return False


def _refusal_message(request: Request, *, weakening: bool) -> str | None:
    # None for an anonymous user, who gets 401.
    token = request.auth
    if isinstance(token, ApiToken) and (weakening or not token.can_write):
        return NEEDS_A_USER if weakening else READ_ONLY_SCOPE
    right = Right.MANAGE if weakening else Right.TRADE
    if request.user.is_authenticated and not has_right(request.user, right):
        return str(REFUSALS[right])
    if weakening and request.user.is_authenticated and not has_recent_password(request._request):
        return CONFIRMATION_TOO_OLD
    return None
