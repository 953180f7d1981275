"""Remove protection: shows the consequences, and needs a confirmed password."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.fields import format_decimal
from exchange.services.permissions import Right
from oco.models import OcoGroup
from oco.presentation.group_detail import GroupDetail, group_detail
from oco.services.confirmations import InvalidReview, Review, review_open, review_sign, review_use
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible
from portfolio.security.access import right_required
from portfolio.security.sudo import sudo_required
from portfolio.views.protection.account import load_account, load_figures, stale_data_reason
from portfolio.worker.runner import sync_request

KIND = "cancel"
NAME_LENGTH = 64


@require_http_methods(["GET", "HEAD", "POST"])
@right_required(Right.MANAGE)
@sudo_required
def protection_cancel(request: HttpRequest, pk: object) -> HttpResponse:
    """GET is the review; POST removes the protection."""
    group = get_object_or_404(OcoGroup, pk=pk)
    detail = group_detail(group_id=group.pk)
    if request.method != "POST":
        return _page(request, detail)
    if detail.is_final or detail.group.cancel_requested_at is not None:
        return redirect("protection-sent", detail.group.pk)
    return _submit_cancel(request, detail)


def _submit_cancel(request: HttpRequest, detail: GroupDetail) -> HttpResponse:
    # Once for each review, and only while nothing has changed since.
    now, name = timezone.now(), request.user.get_username()[:NAME_LENGTH]
    try:
        opened = review_open(request.POST.get("token", ""), kind=KIND, user=str(request.user.pk))
    except InvalidReview:
        return _page(request, detail, notice=_("This review is not valid. Nothing was sent: review again."))
    reason = stale_data_reason(now=now) or opened.stale_reason(seen=_state_key(detail))
    if reason:
        return _page(request, detail, notice=reason)
    try:
        with transaction.atomic():
            if review_use(nonce=opened.review.nonce, now=now):
                group_cancel(group_id=detail.group.pk, requested_by=name, now=now)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    sync_request(requested_by=name)
    return redirect("protection-sent", detail.group.pk)


def _page(request: HttpRequest, detail: GroupDetail, *, notice: str = "") -> HttpResponse:
    account, now = load_account(), timezone.now()
    review = Review(
        kind=KIND,
        user=str(request.user.pk),
        requested={"group": str(detail.group.pk)},
        seen=_state_key(detail),
    )
    context = {
        "detail": detail,
        "figures": load_figures(detail, account),
        "account": account,
        "refusal": stale_data_reason(now=now),
        "now": now,
        "token": review_sign(review),
        "notice": notice,
    }
    return render(request, "oco/cancel.html", context)


def _state_key(detail: GroupDetail) -> str:
    # Group, state and open orders at the time of the review.
    group = detail.group
    prices = (format_decimal(detail.stop), format_decimal(detail.owned))
    return " ".join(map(str, (group.pk, group.state, *prices, detail.has_stop, detail.has_target)))
