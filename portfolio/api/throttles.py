"""How often one may ask. The counts live in the web process (CACHES); there is one, with eight threads."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from portfolio.models import ApiToken
from portfolio.web.tracing import address_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself imports this module, by the settings


class Throttle(SimpleRateThrottle):
    """Counts by who asks: a token, else a user, else an address. `scope` names the rate in the settings."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        if not self.concerns(request):
            return None
        return self.cache_format % {"scope": self.scope, "ident": _who(request)}

    def concerns(self, request: Request) -> bool:
        raise NotImplementedError


class Anonymous(Throttle):
    scope = "anon"

    def concerns(self, request: Request) -> bool:
        return not request.user.is_authenticated


class LoggedIn(Throttle):
    scope = "user"

    def concerns(self, request: Request) -> bool:
        return isinstance(request.user, User) and request.auth is None


class WithToken(Throttle):
    scope = "token"

    def concerns(self, request: Request) -> bool:
        return isinstance(request.auth, ApiToken)


class Changing(Throttle):
    """Besides the others, and tighter: whatever is not only reading."""

    scope = "write"

    def concerns(self, request: Request) -> bool:
        return request.method not in SAFE_METHODS


class Syncing(Throttle):
    """Besides those: each cycle keeps the worker and the exchange busy."""

    scope = "sync"

    def concerns(self, request: Request) -> bool:
        return True


def _who(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token-{request.auth.pk}"
    if request.user.is_authenticated:
        return f"user-{request.user.pk}"
    return f"address-{address_of(request._request)}"
