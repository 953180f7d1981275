"""Set, review, result: the three steps of every order form, each a page that needs no script.

What has changed since the review must be reviewed again.
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

from exchange.core.numbers import input_text, plain_input_text, rounded
from exchange.models import Instrument
from exchange.selectors import decimals_of
from exchange.services.lease import Lease
from oco.forms import PricesForm
from oco.models import OcoGroup
from oco.presentation.risk_reward import Proposal, Terms
from oco.services.confirmations import (
    InvalidReview,
    OpenedReview,
    Review,
    review_open,
    review_sign,
    review_use,
)
from oco.services.validation import NotPossible, prices_validate, request_validate
from portfolio.status.sync_status import LastModified, load_last_modified, sync_state
from portfolio.status.trading_mode import current_trading, orders_blocked_reason, stale_reason
from portfolio.views.protection.account import Account, build_terms, load_account
from portfolio.worker.sync_requests import sync_request

NAME_LENGTH = 64
Values = Mapping[str, Any]


class OrderWizard(ABC):
    """One order form: its fields, its preview, and what its last button does."""

    kind: ClassVar[str]
    form_class: ClassVar[type[PricesForm]]

    def __init__(self, request: HttpRequest, instrument: Instrument) -> None:
        self.request, self.instrument = request, instrument
        self.account: Account = load_account()
        self.now: datetime = timezone.now()

    @cached_property
    def terms(self) -> Terms | None:
        return build_terms(self.instrument, self.account)

    @cached_property
    def refusal(self) -> str:
        """Why no request is possible now; empty when it is."""
        return self.stale or self.blocked or self.refusal_reason()

    @cached_property
    def last_modified(self) -> LastModified:
        return load_last_modified()

    @cached_property
    def blocked(self) -> str:
        """Why no order can be placed, for whomever."""
        return orders_blocked_reason(
            trading=current_trading(), last_modified=self.last_modified, now=self.now
        )

    @cached_property
    def stale(self) -> str:
        """Why the data is too old; a sync may help."""
        return stale_reason(sync_state(now=self.now, last_modified=self.last_modified))

    @property
    def price_decimals(self) -> int:
        return decimals_of(self.instrument.price_tick_size)

    @property
    def quantity_decimals(self) -> int:
        return decimals_of(self.instrument.qty_tick_size)

    @property
    def user_name(self) -> str:
        return self.request.user.get_username()[:NAME_LENGTH]

    def refusal_reason(self) -> str:
        if self.terms is None:
            return _("Its price is unknown, so the order cannot be checked.")
        return ""

    @property
    @abstractmethod
    def url(self) -> str:
        """Of the first step; the others are below it."""

    @property
    def purpose(self) -> str:
        """What a token is valid for, and for nothing else."""
        return f"{self.kind} {self.url}"

    @abstractmethod
    def initial(self) -> dict[str, Decimal | None]:
        """Defaults, by the policy."""

    @abstractmethod
    def quantity(self, values: Values) -> Decimal: ...

    @abstractmethod
    def seen(self) -> str:
        """What the review depends on: when it changes, it must be reviewed again."""

    def exclusive(self) -> AbstractContextManager[Lease | None]:
        """Around the transaction that stores the request, where no cycle may run."""
        return nullcontext()

    @abstractmethod
    def commit(self, review: Review, values: Values, lease: Lease | None) -> OcoGroup:
        """Store the confirmed request. Raises NotPossible."""

    @abstractmethod
    def find_committed(self, review: Review) -> OcoGroup | None:
        """What an earlier press of the same button stored."""

    def form(self, given: Mapping[str, Any] | None = None) -> PricesForm:
        texts = {
            name: self.format_value(name, value)
            for name, value in self.initial().items()
            if value is not None
        }
        return self.form_class(given, initial=texts)

    def format_value(self, name: str, value: Decimal) -> str:
        """For its input, with the decimals of the instrument."""
        tick = self.instrument.qty_tick_size if name == "quantity" else self.instrument.price_tick_size
        return input_text(rounded(value, decimals_of(tick)))

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
        """Whether the exchange could accept it at the current price. Raises NotPossible with the field."""
        stop, target, quantity = values["stop_price"], values["take_profit_price"], self.quantity(values)
        request_validate(instrument=self.instrument, quantity=quantity, stop=stop, target=target)
        mark = self.terms.mark if self.terms else None
        prices_validate(instrument=self.instrument, stop=stop, target=target, mark=mark)


def form_step(request: HttpRequest, wizard: OrderWizard) -> HttpResponse:
    """Step 1. Values in the query string, as when going back, are previewed."""
    given = {name: request.GET[name] for name in wizard.form_class.base_fields if name in request.GET}
    form = wizard.form(given or None)
    if given:
        _is_acceptable(wizard, form)
    return _form_page(request, wizard, form)


def review_step(request: HttpRequest, wizard: OrderWizard) -> HttpResponse:
    """Step 2: everything that would be sent, and a token for exactly that.

    A POST redirects to an address that holds the values, so that the review can be reopened later: it is then
    calculated again, under a new token. A sync is requested, and what is sent is compared with its result.
    """
    form = wizard.form(request.POST if request.method == "POST" else request.GET)
    if wizard.refusal or not _is_acceptable(wizard, form):
        return _form_page(request, wizard, form)
    if request.method == "POST":
        sync_request(requested_by=wizard.user_name)
        return redirect(f"{request.path}?{urlencode(_plain_values(form.cleaned_data))}")
    return _review_page(request, wizard, form.cleaned_data)


def submit_step(request: HttpRequest, wizard: OrderWizard) -> HttpResponse:
    """Step 3: store the request for the worker, once, and redirect to the result; a change needs a new review."""
    try:
        opened = review_open(request.POST.get("token", ""), kind=wizard.purpose, user=str(request.user.pk))
    except InvalidReview:
        messages.error(request, _("This review is not valid. Nothing was sent: review again."))
        return redirect(wizard.url)
    known = wizard.find_committed(opened.review)
    if known is not None:
        return redirect("protection-sent", known.pk)
    form = wizard.form(opened.review.requested)
    if wizard.refusal or not _is_acceptable(wizard, form):
        return _form_page(request, wizard, form, notice=_("Nothing was sent."))
    return _review_again(request, wizard, form, opened) or _submit(request, wizard, form, opened.review)


def _review_again(
    request: HttpRequest, wizard: OrderWizard, form: PricesForm, opened: OpenedReview
) -> HttpResponse | None:
    mark = wizard.terms.mark if wizard.terms else None
    reason = opened.stale_reason(seen=wizard.seen(), price=mark)
    if not reason:
        return None
    sync_request(requested_by=wizard.user_name)
    return _review_page(request, wizard, form.cleaned_data, notice=reason)


def _submit(request: HttpRequest, wizard: OrderWizard, form: PricesForm, review: Review) -> HttpResponse:
    try:
        with wizard.exclusive() as lease, transaction.atomic():
            is_first = review_use(nonce=review.nonce, now=wizard.now)
            group = (
                wizard.commit(review, form.cleaned_data, lease) if is_first else wizard.find_committed(review)
            )
    except NotPossible as refusal:
        _add_form_error(form, refusal)
        return _form_page(request, wizard, form, notice=_("Nothing was sent."))
    if group is None:
        return redirect(wizard.url)
    sync_request(requested_by=wizard.user_name)
    return redirect("protection-sent", group.pk)


def _is_acceptable(wizard: OrderWizard, form: PricesForm) -> bool:
    # The form shows why not.
    if not form.is_valid():
        return False
    try:
        wizard.check(form.cleaned_data)
    except NotPossible as refusal:
        _add_form_error(form, refusal)
        return False
    return True


def _add_form_error(form: PricesForm, refusal: NotPossible) -> None:
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, str(refusal))


def _form_page(
    request: HttpRequest, wizard: OrderWizard, form: PricesForm, *, notice: str = ""
) -> HttpResponse:
    values = form.cleaned_data if form.is_bound and form.is_valid() else None
    shown = values or (None if form.is_bound else _if_complete(wizard.initial()))
    context = {"wizard": wizard, "form": form, "proposal": shown and wizard.proposal(shown), "notice": notice}
    return render(request, f"oco/{wizard.kind}_set.html", context)


def _if_complete(values: dict[str, Decimal | None]) -> Values | None:
    return values if values.get("stop_price") else None


def _plain_values(values: Values) -> dict[str, str]:
    # The forms read them again, so none may be readable in two ways.
    return {name: plain_input_text(value) for name, value in values.items() if value is not None}


def _inputs(values: Values) -> dict[str, str]:
    return {name: input_text(value) for name, value in values.items() if value is not None}


def _review_page(
    request: HttpRequest, wizard: OrderWizard, values: Values, *, notice: str = ""
) -> HttpResponse:
    proposal = wizard.proposal(values)
    requested = _plain_values(values)
    review = Review(
        kind=wizard.purpose,
        user=str(request.user.pk),
        requested=requested,
        seen=wizard.seen(),
        price=proposal.terms.mark if proposal else None,
    )
    context = {
        "wizard": wizard,
        "proposal": proposal,
        "asked": requested,
        "token": review_sign(review),
        "notice": notice,
        "back": urlencode(_inputs(values)),
    }
    return render(request, f"oco/{wizard.kind}_review.html", context)
