"""A name for every request, which what it begins keeps; and from where it came."""

import ipaddress
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse

from exchange.core.observability import correlated, correlation_id, name_new
from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record

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
