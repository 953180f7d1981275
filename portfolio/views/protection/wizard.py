"""Set, Review, Result: the three steps of every order form, each a page of its own, none needing a script.

How one walks through the steps of an order form; what has changed meanwhile is reviewed again.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.fields import plain
from exchange.models import Instrument
from exchange.selectors import decimals_of
from exchange.services.lease import Held
from oco.forms import LevelsForm
from oco.models import OcoGroup
from oco.presentation.risk_reward import Proposal, Terms
from oco.services.confirmations import NotOurs, Opened, Review, review_open, review_sign, review_spend
from oco.services.validation import NotPossible, price_check, wish_check
from portfolio.views.protection.account import Account, account_now, terms_of, why_no_data, why_no_orders
from portfolio.worker.runner import sync_request

NAME_LENGTH = 64
Values = Mapping[str, Any]


class Steps(ABC):
    """One order form: what it asks for, what that would mean, and what its last button does."""

    kind: ClassVar[str]
    form_class: ClassVar[type[LevelsForm]]

    def __init__(self, request: HttpRequest, instrument: Instrument) -> None:
        self.request, self.instrument = request, instrument
        self.account: Account = account_now()
        self.now: datetime = timezone.now()

    @cached_property
    def terms(self) -> Terms | None:
        return terms_of(self.instrument, self.account)

    @cached_property
    def refusal(self) -> str:
        """Why nothing can be asked for now, or nothing."""
        return self.stale or why_no_orders() or self.why_not()

    @cached_property
    def stale(self) -> str:
        """Why the data cannot be relied on: a sync may help."""
        return why_no_data(now=self.now)

    @property
    def price_decimals(self) -> int:
        return decimals_of(self.instrument.price_tick_size)

    @property
    def quantity_decimals(self) -> int:
        return decimals_of(self.instrument.qty_tick_size)

    @property
    def user_name(self) -> str:
        return self.request.user.get_username()[:NAME_LENGTH]

    def why_not(self) -> str:
        if self.terms is None:
            return _("No price is known for it, so no order can be weighed.")
        return ""

    @property
    @abstractmethod
    def address(self) -> str:
        """Of the first step; the others lie below it."""

    @property
    def purpose(self) -> str:
        """What a token is for, and for nothing else."""
        return f"{self.kind} {self.address}"

    @abstractmethod
    def initial(self) -> dict[str, Decimal | None]:
        """What is filled in beforehand, by the policy."""

    @abstractmethod
    def quantity(self, values: Values) -> Decimal: ...

    @abstractmethod
    def seen(self) -> str:
        """What the review rests on: when it changes, it must be looked at again."""

    def alone(self) -> AbstractContextManager[Held | None]:
        """Around the transaction that writes it down, where no cycle may run meanwhile."""
        return nullcontext()

    @abstractmethod
    def commit(self, review: Review, values: Values, held: Held | None) -> OcoGroup:
        """Write down what was agreed to. Raises NotPossible."""

    @abstractmethod
    def committed(self, review: Review) -> OcoGroup | None:
        """What an earlier press of the same button wrote down."""

    def form(self, given: Mapping[str, Any] | None = None) -> LevelsForm:
        texts = {
            name: self.written(name, value) for name, value in self.initial().items() if value is not None
        }
        return self.form_class(given, initial=texts)

    def written(self, name: str, value: Decimal) -> str:
        """In plain digits, with the decimals of the instrument."""
        tick = self.instrument.qty_tick_size if name == "quantity" else self.instrument.price_tick_size
        return f"{value:.{decimals_of(tick)}f}"

    def proposal(self, values: Values) -> Proposal | None:
        if self.terms is None:
            return None
        return Proposal(
            terms=self.terms,
            quantity=self.quantity(values),
            stop=values["stop_price"],
            target=values["take_profit_price"],
        )

    def check(self, values: Values) -> None:
        """Whether the exchange could take it where the price is now. Raises NotPossible with the field."""
        stop, target, quantity = values["stop_price"], values["take_profit_price"], self.quantity(values)
        wish_check(instrument=self.instrument, quantity=quantity, stop=stop, target=target)
        mark = self.terms.mark if self.terms else None
        price_check(instrument=self.instrument, stop=stop, target=target, mark=mark)


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
