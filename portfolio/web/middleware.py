"""Security headers, rights, preferences, live responses, request ids, the address of the client, and compression.

What compression could reveal (the attack BREACH): an attacker who makes a browser ask for a page with guesses in its
address, and sees the size of each answer, learns a secret that stands in the page and stays the same. So:

- No secret that stays the same is in a page that is compressed. CSRF tokens are masked anew in every response, tokens
  of a review differ in each, passwords and keys are in no page. The page that shows a new API token, and the one that
  carries a held-up form to the confirmation of the password, are not compressed.
- Each compressed answer gets up to 100 bytes of random length (Django's GZipMiddleware).
- The session cookie is SameSite=Lax: a foreign page cannot make a browser ask for one page after another in the
  name of its user.
"""

import ipaddress
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

from exchange.core.observability import correlated, correlation_id, new_correlation_id
from exchange.core.texts import escape_control
from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from exchange.services.permissions import acting
from portfolio.web.live import LiveRequest, live_response
from portfolio.web.preferences import preferences_from, use_preferences

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NO_CONTENT = 204
Handler = Callable[[HttpRequest], HttpResponse]
HEADER = "X-Request-ID"
IPV6_PREFIX = 64
UNCOMPRESSED_PATHS = ("/admin/portfolio/apitoken/", "/sudo/")
SAFE_METHODS = ("GET", "HEAD")


def security_headers_middleware(get_response: Handler) -> Handler:
    """No inline or foreign code, no caching of account data. A 204 is no page, and frequent."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        _show_control_characters(response)
        if response.status_code != NO_CONTENT:
            response.headers["Content-Security-Policy"] = POLICY
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def _show_control_characters(response: HttpResponse) -> None:
    # No page of ours has any, so they came with a text of someone else, and could hide or turn what is read.
    is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
    if is_page and not response.has_header("Content-Encoding"):
        text = response.content.decode(response.charset, "replace")
        shown = escape_control(text)
        if shown != text:
            response.content = shown


def preferences_middleware(get_response: Handler) -> Handler:
    """Theme, palette and hidden amounts from the cookies, for the duration of the request."""

    def answer(request: HttpRequest) -> HttpResponse:
        with use_preferences(preferences_from(request.COOKIES)):
            return get_response(request)

    return answer


def permissions_middleware(get_response: Handler) -> Handler:
    """The services ask what the user of this request may do."""

    def answer(request: HttpRequest) -> HttpResponse:
        with acting(request):
            return get_response(request)

    return answer


def live_middleware(get_response: Handler) -> Handler:
    """A live request gets the panels that changed, or 204."""

    def answer(request: HttpRequest) -> HttpResponse:
        live_request = LiveRequest.of(request)
        return (
            get_response(request)
            if live_request is None
            else live_response(live_request, request, get_response)
        )

    return answer


def request_id_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """The id is always ours, never one from the request: it is in the logs and in the audit log."""

    def answer(request: HttpRequest) -> HttpResponse:
        with correlated(new_correlation_id("req"), address=client_address(request)):
            response = get_response(request)
            response.headers[HEADER] = correlation_id()
            return response

    return answer


def record_login(user: AbstractBaseUser, **_signal: object) -> None:
    """Connected to `user_logged_in`. Failed attempts are stored, and limited, by django-axes."""
    audit_record(actor=user.get_username(), what=AuditEntry.Action.LOGIN, result="OK")


def client_address(request: HttpRequest) -> str:
    """The peer; behind the proxy of BEHIND_HTTPS, the last address in X-Forwarded-For, which that proxy added."""
    if settings.BEHIND_HTTPS:
        last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            return str(ipaddress.ip_address(last))
    return str(request.META.get("REMOTE_ADDR", ""))


def client_block(request: HttpRequest) -> str:
    """Whom to count as one client: an IPv4 address, or the network of an IPv6 address (/64), which one client owns."""
    text = client_address(request)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:  # a unix socket has none
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address.packed, IPV6_PREFIX), strict=False).network_address)


# Compression of pages and API responses. Static files are compressed once, when they are collected (WhiteNoise).


class CompressionMiddleware(GZipMiddleware):
    """Leaves alone what answers a form: such a page may repeat a password or show a token."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(UNCOMPRESSED_PATHS) or _repeats_a_form(request):
            return response
        return super().process_response(request, response)


def _repeats_a_form(request: HttpRequest) -> bool:
    return request.method not in SAFE_METHODS and not request.path.startswith("/api/")
