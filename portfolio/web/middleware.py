"""What every answer goes through: two headers, the chosen display, and the short answers to live pages.

A name for every request, which what it begins keeps; and from where it came.
"""

import ipaddress
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse

from exchange.core.observability import correlated, correlation_id, name_new
from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from portfolio.web.live import Asked, answer_live
from portfolio.web.preferences import display_of, display_used

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NO_NEWS = 204
Handler = Callable[[HttpRequest], HttpResponse]


def strict_headers(get_response: Handler) -> Handler:
    """Pages run no foreign code, and what an account holds stays in no cache. A 204 is no page, and asked for often."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != NO_NEWS:
            response.headers["Content-Security-Policy"] = POLICY
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def chosen_display(get_response: Handler) -> Handler:
    """Theme, palette and hidden amounts, from the cookies, for as long as the answer is made."""

    def answer(request: HttpRequest) -> HttpResponse:
        with display_used(display_of(request.COOKIES)):
            return get_response(request)

    return answer


def live_updates(get_response: Handler) -> Handler:
    """An open page that asks for news gets the panels that changed, or 204."""

    def answer(request: HttpRequest) -> HttpResponse:
        asked = Asked.of(request)
        return get_response(request) if asked is None else answer_live(asked, request, get_response)

    return answer


HEADER = "X-Request-ID"


def traced(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The name is ours, never one that the request brings along: it stands in logs and in the audit log."""

    def answer(request: HttpRequest) -> HttpResponse:
        with correlated(name_new("req"), address=address_of(request)):
            response = get_response(request)
            response.headers[HEADER] = correlation_id()
            return response

    return answer


def login_note(user: AbstractBaseUser, **_signal: object) -> None:
    """Connected to `user_logged_in`. Refused ones are kept, and limited, by django-axes."""
    audit_record(actor=user.get_username(), what=AuditEntry.What.LOGIN, result="OK")


def address_of(request: HttpRequest) -> str:
    """The peer; behind the one proxy of BEHIND_HTTPS, the peer that this proxy saw (it adds it as the last)."""
    if settings.BEHIND_HTTPS:
        last = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            return str(ipaddress.ip_address(last))
    return str(request.META.get("REMOTE_ADDR", ""))
