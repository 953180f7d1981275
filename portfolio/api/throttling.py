"""Limits of the API: request rates, counted in the memory of the one web process (CACHES), and size of requests."""

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from portfolio.models import ApiToken
from portfolio.web.middleware import client_block

if TYPE_CHECKING:
    from rest_framework.views import APIView


class BaseThrottle(SimpleRateThrottle):
    """Counts by token, else by user, else by address. `scope` names the rate in the settings."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        if not self.applies_to(request):
            return None
        return self.cache_format % {"scope": self.scope, "ident": _client_key(request)}

    def applies_to(self, request: Request) -> bool:
        raise NotImplementedError


class AnonymousThrottle(BaseThrottle):
    scope = "anon"

    def applies_to(self, request: Request) -> bool:
        return not request.user.is_authenticated


class UserThrottle(BaseThrottle):
    scope = "user"

    def applies_to(self, request: Request) -> bool:
        return isinstance(request.user, User) and request.auth is None


class TokenThrottle(BaseThrottle):
    scope = "token"

    def applies_to(self, request: Request) -> bool:
        return isinstance(request.auth, ApiToken)


class WriteThrottle(BaseThrottle):
    """A tighter limit for everything that is not only reading."""

    scope = "write"

    def applies_to(self, request: Request) -> bool:
        return request.method not in SAFE_METHODS


class SyncThrottle(BaseThrottle):
    """Tighter still: each cycle keeps the worker and the exchange busy."""

    scope = "sync"

    def applies_to(self, request: Request) -> bool:
        return True


class RequestTooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "too_large"
    default_detail = "The request is too large."


class LimitedJSONParser(JSONParser):
    """JSON that is nested too deeply is an error of the client."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("JSON parse error - it is nested too deeply.") from None


def api_exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Adds 413 for a large body, and a plain 404."""
    from rest_framework.views import exception_handler  # it imports this module, through the settings

    if isinstance(exc, RequestDataTooBig):
        exc = RequestTooLarge()
    elif isinstance(exc, Http404):
        exc = NotFound()
    return exception_handler(exc, context)


def _client_key(request: Request) -> str:
    if isinstance(request.auth, ApiToken):
        return f"token-{request.auth.pk}"
    if request.user.is_authenticated:
        return f"user-{request.user.pk}"
    return f"address-{client_block(request._request)}"
