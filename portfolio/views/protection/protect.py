"""Protect a position that is held.

Other prices for a stop that failed. Those of a buy-back stay: what it may spend was reckoned from them.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exchange.fields import plain
from exchange.models import Instrument
from exchange.services.lease import Held
from oco.engine.pricing import stop_of, target_of
from oco.engine.states import State
from oco.forms import LevelsForm, WishForm
from oco.models import OcoGroup, UsedReview
from oco.policies import policy_for
from oco.presentation.group_detail import Story, group_story
from oco.presentation.previews import coin_preview
from oco.presentation.risk_reward import Proposal
from oco.services.confirmations import Review
from oco.services.groups import group_create, group_reprice, prices_alone
from oco.services.validation import SPOT, free_check, free_of
from portfolio.views.protection.wizard import Steps, Values, step_review, step_send, step_set
from portfolio.web.preferences import display_now


class Protecting(Steps):
    """For coins that belong to no protection yet."""

    kind = "protect"
    form_class = WishForm

    @property
    def address(self) -> str:
        return reverse("protect", args=[self.instrument.symbol])

    @cached_property
    def free(self) -> Decimal:
        """In no protection, and behind no order of others; on the grid."""
        return free_of(instrument=self.instrument, held=self.account.held(self.instrument.base_ccy))

    @property
    def has_nothing(self) -> bool:
        """Whether there is nothing of it that a stop could guard."""
        base = self.instrument.base_ccy
        return base in settings.CASH_CURRENCIES or not self.account.held(base)

    def why_not(self) -> str:
        if self.has_nothing:
            return self._why_nothing()
        if not self.free:
            words = _("No %(currency)s is free: all that is held is protected, or behind another order.")
            return words % {"currency": self.instrument.base_ccy}
        return super().why_not()

    def _why_nothing(self) -> str:
        base = self.instrument.base_ccy
        if base in settings.CASH_CURRENCIES:
            return _("%(currency)s counts as cash here: there is nothing to protect.") % {"currency": base}
        return _("No %(currency)s is held: there is nothing to protect.") % {"currency": base}

    def initial(self) -> dict[str, Decimal | None]:
        policy = policy_for(self.instrument.symbol)
        shown = coin_preview(self.instrument, policy, self.account.free)
        return {
            "quantity": self.free,
            "stop_price": shown.stop if shown else None,
            "take_profit_price": shown.target if shown else None,
        }

    def form(self, given: Mapping[str, Any] | None = None) -> LevelsForm:
        """Says how much is free, unless amounts are hidden."""
        form = super().form(given)
        if self.free > 0 and not display_now().hides_amounts:
            known = {"free": self.written("quantity", self.free), "currency": self.instrument.base_ccy}
            words = _("%(free)s %(currency)s are free: in no protection, and behind no other order.")
            form.fields["quantity"].help_text = words % known
        return form

    def quantity(self, values: Values) -> Decimal:
        return Decimal(values["quantity"])

    def check(self, values: Values) -> None:
        super().check(values)
        free_check(instrument=self.instrument, quantity=values["quantity"], free=self.free)

    def seen(self) -> str:
        return plain(self.free)

    def commit(self, review: Review, values: Values, held: Held | None) -> OcoGroup:
        return group_create(
            instrument_name=self.instrument.symbol,
            quantity=values["quantity"],
            stop_price=values["stop_price"],
            take_profit_price=values["take_profit_price"],
            standing=self.account.standing(self.instrument),
            requested_by=self.user_name,
            idempotency_key=review.key,
            now=self.now,
        )

    def committed(self, review: Review) -> OcoGroup | None:
        return OcoGroup.objects.filter(idempotency_key=review.key).first()


def _protect_steps(request: HttpRequest, instrument: str) -> Protecting:
    return Protecting(request, get_object_or_404(Instrument, symbol=instrument, inst_type=SPOT))


@require_safe
@login_required
def protect(request: HttpRequest, instrument: str) -> HttpResponse:
    """Step 1: how much, which stop, which target."""
    return step_set(request, _protect_steps(request, instrument))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def protect_review(request: HttpRequest, instrument: str) -> HttpResponse:
    return step_review(request, _protect_steps(request, instrument))


@require_POST
@login_required
def protect_send(request: HttpRequest, instrument: str) -> HttpResponse:
    return step_send(request, _protect_steps(request, instrument))


class Fixing(Steps):
    """Its lot, and what was paid for it, stay; the worker places the new prices."""

    kind = "fix"
    form_class = LevelsForm

    def __init__(self, request: HttpRequest, story: Story, instrument: Instrument) -> None:
        super().__init__(request, instrument)
        self.story = story

    @property
    def group(self) -> OcoGroup:
        return self.story.group

    @property
    def address(self) -> str:
        return reverse("protection-fix", args=[self.group.pk])

    def why_not(self) -> str:
        if self.group.state != State.STOP_FAILED:
            return _("The stop of this protection has not failed, so there is nothing to mend.")
        if self.story.buys_back:
            return _(
                "A buy-back keeps its prices. Take it away, or buy by hand: what is bought is protected like any buy."
            )
        return super().why_not()

    def initial(self) -> dict[str, Decimal | None]:
        """The prices as they are; what the market has passed, with all above it, by the policy from the price now."""
        stop, target = self.group.stop_price, self.group.take_profit_price
        if self.terms is None or self.story.buys_back:
            return {"stop_price": stop, "take_profit_price": target}
        mark, tick = self.terms.mark, self.instrument.price_tick_size
        policy, is_passed = policy_for(self.instrument.symbol), stop >= mark
        if is_passed or (target is not None and target <= mark):
            target = policy.target_pct and target_of(mark, policy.target_pct, tick)
        return {
            "stop_price": stop_of(mark, policy.stop_pct, tick) if is_passed else stop,
            "take_profit_price": target,
        }

    def quantity(self, values: Values) -> Decimal:
        return self.story.owned

    def proposal(self, values: Values) -> Proposal | None:
        """None for a buy-back: nothing can be proposed."""
        return None if self.story.buys_back else super().proposal(values)

    def seen(self) -> str:
        """Not the number of its orders: the worker tries again in every cycle, also while one looks."""
        group, target = self.group, self.group.take_profit_price
        prices = (plain(group.stop_price), "" if target is None else plain(target), plain(self.story.owned))
        return " ".join([group.state, *prices])

    def alone(self) -> AbstractContextManager[Held | None]:
        return prices_alone()

    def commit(self, review: Review, values: Values, held: Held | None) -> OcoGroup:
        assert held is not None
        return group_reprice(
            held=held,
            group_id=self.group.pk,
            stop_price=values["stop_price"],
            take_profit_price=values["take_profit_price"],
            requested_by=self.user_name,
            now=self.now,
        )

    def committed(self, review: Review) -> OcoGroup | None:
        return self.group if UsedReview.objects.filter(nonce=review.nonce).exists() else None


def _fix_steps(request: HttpRequest, pk: object) -> Fixing:
    group = get_object_or_404(OcoGroup, pk=pk)
    story = group_story(group_id=group.pk)
    return Fixing(request, story, get_object_or_404(Instrument, symbol=group.instrument_name))


@require_safe
@login_required
def fix(request: HttpRequest, pk: object) -> HttpResponse:
    """Step 1: why the stop failed, and which prices to try."""
    return step_set(request, _fix_steps(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def fix_review(request: HttpRequest, pk: object) -> HttpResponse:
    return step_review(request, _fix_steps(request, pk))


@require_POST
@login_required
def fix_send(request: HttpRequest, pk: object) -> HttpResponse:
    return step_send(request, _fix_steps(request, pk))
