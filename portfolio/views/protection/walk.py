"""How one walks through the steps of an order form; what has changed meanwhile is reviewed again."""

from decimal import Decimal
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from exchange.fields import plain
from oco.forms import LevelsForm
from oco.services.confirmations import NotOurs, Opened, Review, review_open, review_sign, review_spend
from oco.services.validation import NotPossible
from portfolio.views.protection.steps import Steps, Values
from portfolio.worker.runner import sync_request


def step_set(request: HttpRequest, steps: Steps) -> HttpResponse:
    """Step 1. With values in the address, which is how one comes back, those are weighed."""
    given = {name: request.GET[name] for name in steps.form_class.base_fields if name in request.GET}
    form = steps.form(given or None)
    if given:
        _weighed(steps, form)
    return _set_page(request, steps, form)


def step_review(request: HttpRequest, steps: Steps) -> HttpResponse:
    """Step 2: everything that would be sent, and a token for exactly that.

    What was posted leads to an address that holds it, so that one can come back to the review later: it is
    then weighed anew, under a new token. The worker is asked to look at the account: what is sent is held
    against what that finds.
    """
    form = steps.form(request.POST if request.method == "POST" else request.GET)
    if steps.refusal or not _weighed(steps, form):
        return _set_page(request, steps, form)
    if request.method == "POST":
        sync_request(requested_by=steps.user_name)
        return redirect(f"{request.path}?{urlencode(_asked(form.cleaned_data))}")
    return _review_page(request, steps, form.cleaned_data)


def step_send(request: HttpRequest, steps: Steps) -> HttpResponse:
    """Step 3 writes it down for the worker, once, and goes to the result; what has changed is reviewed again."""
    try:
        opened = review_open(request.POST.get("token", ""), kind=steps.purpose, user=str(request.user.pk))
    except NotOurs:
        messages.error(request, _("This review cannot be used. Nothing was sent: look at it again."))
        return redirect(steps.address)
    known = steps.committed(opened.review)
    if known is not None:
        return redirect("protection-sent", known.pk)
    form = steps.form(opened.review.asked)
    if steps.refusal or not _weighed(steps, form):
        return _set_page(request, steps, form, notice=_("Nothing was sent."))
    return _again(request, steps, form, opened) or _sent(request, steps, form, opened.review)


def _again(request: HttpRequest, steps: Steps, form: LevelsForm, opened: Opened) -> HttpResponse | None:
    mark = steps.terms.mark if steps.terms else None
    reason = opened.why_again(seen=steps.seen(), price=mark)
    if not reason:
        return None
    sync_request(requested_by=steps.user_name)
    return _review_page(request, steps, form.cleaned_data, notice=reason)


def _sent(request: HttpRequest, steps: Steps, form: LevelsForm, review: Review) -> HttpResponse:
    try:
        with steps.alone() as held, transaction.atomic():
            is_first = review_spend(nonce=review.nonce, now=steps.now)
            group = steps.commit(review, form.cleaned_data, held) if is_first else steps.committed(review)
    except NotPossible as refusal:
        _blame(form, refusal)
        return _set_page(request, steps, form, notice=_("Nothing was sent."))
    if group is None:
        return redirect(steps.address)
    sync_request(requested_by=steps.user_name)
    return redirect("protection-sent", group.pk)


def _weighed(steps: Steps, form: LevelsForm) -> bool:
    """Whether the form holds what can be sent; why not is on the form."""
    if not form.is_valid():
        return False
    try:
        steps.check(form.cleaned_data)
    except NotPossible as refusal:
        _blame(form, refusal)
        return False
    return True


def _blame(form: LevelsForm, refusal: NotPossible) -> None:
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, str(refusal))


def _set_page(request: HttpRequest, steps: Steps, form: LevelsForm, *, notice: str = "") -> HttpResponse:
    values = form.cleaned_data if form.is_bound and form.is_valid() else None
    shown = values or (None if form.is_bound else _complete(steps.initial()))
    context = {"steps": steps, "form": form, "proposal": shown and steps.proposal(shown), "notice": notice}
    return render(request, f"oco/{steps.kind}_set.html", context)


def _complete(values: dict[str, Decimal | None]) -> Values | None:
    return values if values.get("stop_price") else None


def _asked(values: Values) -> dict[str, str]:
    return {name: plain(value) for name, value in values.items() if value is not None}


def _review_page(request: HttpRequest, steps: Steps, values: Values, *, notice: str = "") -> HttpResponse:
    proposal = steps.proposal(values)
    asked = _asked(values)
    review = Review(
        kind=steps.purpose,
        user=str(request.user.pk),
        asked=asked,
        seen=steps.seen(),
        price=proposal.terms.mark if proposal else None,
    )
    context = {
        "steps": steps,
        "proposal": proposal,
        "asked": asked,
        "token": review_sign(review),
        "notice": notice,
        "back": urlencode(asked),
    }
    return render(request, f"oco/{steps.kind}_review.html", context)
