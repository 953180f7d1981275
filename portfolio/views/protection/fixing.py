"""Other prices for a stop that failed. Those of a buy-back stay: what it may spend was reckoned from them."""

from contextlib import AbstractContextManager
from decimal import Decimal

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
from oco.forms import LevelsForm
from oco.models import OcoGroup, UsedReview
from oco.policies import policy_for
from oco.presentation.group_detail import Story, group_story
from oco.presentation.risk_reward import Proposal
from oco.services.confirmations import Review
from oco.services.groups import group_reprice, prices_alone
from portfolio.views.protection.steps import Steps, Values
from portfolio.views.protection.walk import step_review, step_send, step_set


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


def _steps(request: HttpRequest, pk: object) -> Fixing:
    group = get_object_or_404(OcoGroup, pk=pk)
    story = group_story(group_id=group.pk)
    return Fixing(request, story, get_object_or_404(Instrument, symbol=group.instrument_name))


@require_safe
@login_required
def fix(request: HttpRequest, pk: object) -> HttpResponse:
    """Step 1: why the stop failed, and which prices to try."""
    return step_set(request, _steps(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def fix_review(request: HttpRequest, pk: object) -> HttpResponse:
    return step_review(request, _steps(request, pk))


@require_POST
@login_required
def fix_send(request: HttpRequest, pk: object) -> HttpResponse:
    return step_send(request, _steps(request, pk))
