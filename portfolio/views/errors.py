"""Error pages."""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from exchange.core.database import database_problem
from exchange.services.permissions import REFUSALS


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
