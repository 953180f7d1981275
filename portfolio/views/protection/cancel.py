"""Take protection away: names what is lost, and asks for the password first."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from exchange.fields import plain
from oco.models import OcoGroup
from oco.presentation.group_detail import Story, group_story
from oco.services.confirmations import NotOurs, Review, review_open, review_sign, review_spend
from oco.services.groups import group_cancel
from oco.services.validation import NotPossible
from portfolio.security.sudo import sudo_required
from portfolio.views.protection.account import account_now, figures_now, why_no_data
from portfolio.worker.runner import sync_request

KIND = "cancel"
NAME_LENGTH = 64


@require_http_methods(["GET", "HEAD", "POST"])
@sudo_required
def cancel(request: HttpRequest, pk: object) -> HttpResponse:
    """Looking at it is the review; the button takes the protection away."""
    group = get_object_or_404(OcoGroup, pk=pk)
    story = group_story(group_id=group.pk)
    if request.method != "POST":
        return _page(request, story)
    if story.is_final or story.group.cancel_requested_at is not None:
        return redirect("protection-sent", story.group.pk)
    return _taken_away(request, story)


def _taken_away(request: HttpRequest, story: Story) -> HttpResponse:
    """Once for each review, and only while things are as they were shown."""
    now, name = timezone.now(), request.user.get_username()[:NAME_LENGTH]
    try:
        opened = review_open(request.POST.get("token", ""), kind=KIND, user=str(request.user.pk))
    except NotOurs:
        return _page(
            request, story, notice=_("This review cannot be used. Nothing was sent: look at it again.")
        )
    reason = why_no_data(now=now) or opened.why_again(seen=_seen(story))
    if reason:
        return _page(request, story, notice=reason)
    try:
        with transaction.atomic():
            if review_spend(nonce=opened.review.nonce, now=now):
                group_cancel(group_id=story.group.pk, requested_by=name, now=now)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
    sync_request(requested_by=name)
    return redirect("protection-sent", story.group.pk)


def _page(request: HttpRequest, story: Story, *, notice: str = "") -> HttpResponse:
    account, now = account_now(), timezone.now()
    review = Review(
        kind=KIND,
        user=str(request.user.pk),
        asked={"group": str(story.group.pk)},
        seen=_seen(story),
    )
    context = {
        "story": story,
        "figures": figures_now(story, account),
        "account": account,
        "refusal": why_no_data(now=now),
        "now": now,
        "token": review_sign(review),
        "notice": notice,
    }
    return render(request, "oco/cancel.html", context)


def _seen(story: Story) -> str:
    """For which group, what it was when one looked, and which of its orders rested."""
    group = story.group
    prices = (plain(group.stop_price), plain(story.owned))
    return " ".join(map(str, (group.pk, group.state, *prices, story.has_stop, story.has_target)))
