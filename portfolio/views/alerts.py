"""The page of alerts, and acknowledging them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from exchange.services.permissions import Right
from portfolio.alerts.selectors import alerts_unacknowledged, channel_names
from portfolio.alerts.services import alert_acknowledge, alerts_dismiss
from portfolio.models import Alert
from portfolio.security.access import read_access_required, right_required
from portfolio.views.site import redirect_back
from portfolio.web.page_context import PageContext

PER_PAGE = 25
NAME_LENGTH = 64


@require_safe
@read_access_required
def alert_list(request: HttpRequest) -> HttpResponse:
    """What needs attention, or with `?show=all` everything, newest first."""
    shows_all = request.GET.get("show") == "all"
    rows = Alert.objects.all() if shows_all else alerts_unacknowledged()
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "shows_all": shows_all, "channels": channel_names()}
    return render(request, "alerts/list.html", context)


@require_POST
@login_required
@read_access_required
def alert_dismiss_view(request: HttpRequest) -> HttpResponse:
    """Put what the banner showed, up to the id in the form, out of the banner of this user."""
    newest = request.POST.get("alert", "")
    alerts_dismiss(
        user=User.objects.get_by_natural_key(request.user.get_username()),
        up_to=int(newest) if newest.isdecimal() and len(newest) < 19 else 0,
        exposed_usd=PageContext(request).exposed_usd,
        now=timezone.now(),
    )
    return redirect_back(request)


@require_POST
@right_required(Right.TRADE)
def alert_acknowledge_view(request: HttpRequest) -> HttpResponse:
    """One of them, or every one that needs attention."""
    name, now = request.user.get_username()[:NAME_LENGTH], timezone.now()
    wanted = request.POST.get("alert", "")
    if wanted == "all":
        rows = list(alerts_unacknowledged())
    else:
        rows = [get_object_or_404(Alert, pk=int(wanted) if wanted.isdecimal() and len(wanted) < 19 else 0)]
    done = sum(alert_acknowledge(alert=alert, acknowledged_by=name, now=now) for alert in rows)
    text = ngettext("%(count)d alert acknowledged.", "%(count)d alerts acknowledged.", done)
    messages.success(request, text % {"count": done} if done else _("Already acknowledged."))
    return redirect_back(request)
