"""Asking for a sync, and how the desk is doing."""

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portfolio.views.back import back
from portfolio.web.health import DOWN, health
from portfolio.worker.runner import sync_request


@require_POST
@staff_member_required
def sync_now(request: HttpRequest) -> HttpResponse:
    """Asks the worker for a cycle and goes back to where the button was."""
    sync_request(requested_by=request.user.get_username())
    messages.success(request, _("A sync was asked for. This page shows it as soon as it is done."))
    return back(request)


@require_safe
def health_check(request: HttpRequest) -> HttpResponse:
    """For whoever watches the desk; no login and no session."""
    state = health(now=timezone.now())
    return JsonResponse(state.as_dict(), status=503 if state.status == DOWN else 200)
