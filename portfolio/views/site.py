"""Small views: preferences, about, sync now, health check, and the error pages."""

import sys
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from exchange.core.database import database_problem
from exchange.services.permissions import REFUSALS, Right
from portfolio.security.access import right_required
from portfolio.status.sync_status import load_last_modified
from portfolio.status.trading_mode import worker_reason
from portfolio.web.health import DOWN, health
from portfolio.web.preferences import valid_choices
from portfolio.worker.sync_requests import sync_request

YEAR_SECONDS = 365 * 86_400


def redirect_back(request: HttpRequest) -> HttpResponse:
    """To the page named by the form if it is on this site, else to the dashboard."""
    page = request.POST.get("back", "")
    return redirect(page if url_has_allowed_host_and_scheme(page, {request.get_host()}) else "home")


@require_POST
def update_preferences(request: HttpRequest) -> HttpResponse:
    """Store valid choices in cookies and go back. Needs no login: it changes this browser only."""
    response = redirect_back(request)
    for name, value in valid_choices(request.POST).items():
        response.set_cookie(
            name,
            value,
            max_age=YEAR_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Version and licences."""
    return render(request, "portfolio/about.html")


@require_POST
@right_required(Right.TRADE)
def sync_now(request: HttpRequest) -> HttpResponse:
    """Queue a cycle and go back."""
    blocked = worker_reason(load_last_modified(), now=timezone.now())
    if blocked:
        messages.error(request, blocked)
        return redirect_back(request)
    sync_request(requested_by=request.user.get_username())
    messages.success(request, _("Sync requested. This page updates when it is done."))
    return redirect_back(request)


@require_safe
def health_check(request: HttpRequest) -> HttpResponse:
    """For external monitoring; no login and no session."""
    state = health(now=timezone.now())
    return JsonResponse(state.as_dict(), status=503 if state.status == DOWN else 200)


# Error pages


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A wrong host, or more than DATA_UPLOAD_MAX_MEMORY_SIZE; the details are in the log only."""
    return _error_response(request, 400, _("Invalid request."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A missing right has its own sentence; what else raised it may hold details that are for the log only."""
    known = str(exception) in {str(sentence) for sentence in REFUSALS.values()}
    return _error_response(
        request, 403, str(exception) if known else _("You do not have permission to do this.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token; `reason` is in the log only."""
    template = _(
        "This form has expired, or cookies are disabled. Nothing was changed: reload the page and try again."
    )
    return _error_response(request, 403, template)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 404, _("Page not found."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the error is being handled."""
    problem = database_problem(sys.exception())
    if problem:
        return _error_response(request, 503, problem)
    return _error_response(request, 500, _("Something went wrong. See the web process log for details."))


def _error_response(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """JSON under /api/, else a page that needs no database, in the language of the request."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": detail}, status=status)
    context: dict[str, Any] = {"status": status, "detail": detail}
    return render(request, "error.html", context, status=status)
