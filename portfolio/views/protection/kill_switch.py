"""The kill switch: turning trading off takes one press, turning it on a confirmed password."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.models import TradingSwitch
from exchange.services.kill_switch_file import file_name
from exchange.services.permissions import Right
from oco.engine.states import State
from oco.models import UsedReview
from oco.selectors import groups_open
from oco.services.confirmations import InvalidReview, Review, review_open, review_sign, review_use
from oco.services.kill_switch import resume_trading, stop_trading
from oco.services.validation import NotPossible
from portfolio.security.access import read_access_required, right_required
from portfolio.security.sudo import sudo_required

KIND = "switch-on"
NAME_LENGTH, REASON_LENGTH = 64, 255


@require_http_methods(["GET", "HEAD", "POST"])
@read_access_required
@login_required
def kill_switch(request: HttpRequest) -> HttpResponse:
    """State, who changed it and why; while trading is on, the button that turns it off.

    Turning it off is never refused because the page is old: a delay could cost more than a second press.
    """
    if request.method != "POST":
        return _page(request, "oco/switch.html")
    stop_trading(changed_by=_name(request), now=timezone.now(), reason=_reason(request))
    return redirect("switch")


@require_http_methods(["GET", "HEAD", "POST"])
@right_required(Right.MANAGE)
@sudo_required
def resume_page(request: HttpRequest) -> HttpResponse:
    """What will happen when trading is on again, and the button."""
    if request.method == "POST":
        return _submit_resume(request)
    if not _is_off(_shown(TradingSwitch.objects.first())):
        return redirect("switch")
    return _page(request, "oco/switch_on.html")


def _submit_resume(request: HttpRequest) -> HttpResponse:
    # Once for each view of the page, and not after another user has changed the switch.
    now = timezone.now()
    try:
        opened = review_open(request.POST.get("token", ""), kind=KIND, user=str(request.user.pk))
    except InvalidReview:
        messages.error(request, _("This review is not valid. Nothing was changed: review again."))
        return redirect("switch-on")
    if UsedReview.objects.filter(nonce=opened.review.nonce).exists():
        return redirect("switch")
    why = opened.stale_reason(seen=_state_key(TradingSwitch.objects.first()))
    if why:
        messages.error(request, why)
        return redirect("switch-on")
    try:
        with transaction.atomic():
            if review_use(nonce=opened.review.nonce, now=now):
                resume_trading(changed_by=_name(request), now=now, reason=_reason(request))
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    return redirect("switch")


def _name(request: HttpRequest) -> str:
    return request.user.get_username()[:NAME_LENGTH]


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").strip()[:REASON_LENGTH]


def _page(request: HttpRequest, template: str) -> HttpResponse:
    row, groups = TradingSwitch.objects.first(), list(groups_open().values_list("state", flat=True))
    review = Review(kind=KIND, user=str(request.user.pk), requested={}, seen=_state_key(row))
    shown = _shown(row)
    context = {
        "switch": shown,
        "is_off": _is_off(shown),
        "by_settings": not settings.TRADING_ENABLED,
        "active": sum(state == State.ACTIVE for state in groups),
        "waiting": sum(state != State.ACTIVE for state in groups),
        "auto_protect": settings.AUTO_PROTECT,
        "now": timezone.now(),
        "token": review_sign(review),
    }
    return render(request, template, context)


def _is_off(row: TradingSwitch | None) -> bool:
    return row is not None and row.is_off


def _shown(row: TradingSwitch | None) -> TradingSwitch | None:
    # The file turns trading off before the worker has stored that.
    name = file_name()
    if name is None or _is_off(row):
        return row
    return TradingSwitch(is_off=True, changed_by=name, changed_at=timezone.now())


def _state_key(row: TradingSwitch | None) -> str:
    return f"{row.is_off} {row.changed_at.isoformat()}" if row else "never turned"
