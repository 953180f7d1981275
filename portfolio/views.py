"""The pages, and the two addresses that machines ask first."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from portfolio.access import readers_only
from portfolio.health import DOWN, health
from portfolio.selectors import dashboard
from portfolio.services import sync_request


@require_safe
@readers_only
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard."""
    return render(request, "portfolio/dashboard.html", {"desk": dashboard()})


@require_safe
def health_check(request: HttpRequest) -> HttpResponse:
    """For whoever watches the desk; no login and no session."""
    state = health(now=timezone.now())
    return JsonResponse(state.as_dict(), status=503 if state.status == DOWN else 200)


@require_POST
@staff_member_required
def sync_now(request: HttpRequest) -> HttpResponse:
    """Asks the worker for a cycle and goes back to where the button was."""
    sync_request(requested_by=request.user.get_username())
    messages.success(request, "Asked the worker for a sync. Load this page again in a few seconds.")
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "home")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(request, 500, "Something failed here. The log of the web process says what.")


def _error(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """In the language of whoever asked: JSON under /api/, else a page that needs no database."""
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": detail}, status=status)
    context: dict[str, Any] = {"status": status, "detail": detail}
    return render(request, "error.html", context, status=status)
