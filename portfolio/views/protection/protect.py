"""The order forms: protect a held position, and set new prices for a stop that failed.

A failed buy-back keeps its prices: the amount it may spend was calculated from them.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exchange.fields import format_decimal
from exchange.models import Instrument
from exchange.schemas.market import SPOT
from exchange.services.lease import Lease
from exchange.services.permissions import Right
from oco.engine.pricing import stop_of, target_of
from oco.engine.states import State
from oco.forms import PricesForm, ProtectionForm
from oco.models import OcoGroup, UsedReview
from oco.policies import policy_for
from oco.presentation.group_detail import GroupDetail, group_detail
from oco.presentation.previews import coin_preview
from oco.presentation.risk_reward import Proposal
from oco.services.confirmations import Review
from oco.services.groups import group_create, group_reprice, reprice_lease
from oco.services.validation import available_quantity, available_validate
from portfolio.formatting import amount_text
from portfolio.security.access import right_required
from portfolio.views.protection.wizard import OrderWizard, Values, form_step, review_step, submit_step
from portfolio.web.preferences import current_preferences


class ProtectWizard(OrderWizard):
    """For coins that are in no group yet."""

    kind = "protect"
    form_class = ProtectionForm

    @property
    def url(self) -> str:
        return reverse("protect", args=[self.instrument.symbol])

    @cached_property
    def free(self) -> Decimal:
        """In no group, reserved by no external order, rounded to the lot size."""
        return available_quantity(
            instrument=self.instrument, held=self.account.quantity_held(self.instrument.base_ccy)
        )

    @property
    def has_no_position(self) -> bool:
        """Whether there is nothing of it that a stop could guard."""
        base = self.instrument.base_ccy
        return base in settings.CASH_CURRENCIES or not self.account.quantity_held(base)

    def refusal_reason(self) -> str:
        if self.has_no_position:
            return self._no_position_reason()
        if not self.free:
            template = _("No %(currency)s available: all of it is protected or in an open order.")
            return template % {"currency": self.instrument.base_ccy}
        return super().refusal_reason()

    def _no_position_reason(self) -> str:
        base = self.instrument.base_ccy
        if base in settings.CASH_CURRENCIES:
            return _("%(currency)s counts as cash: there is nothing to protect.") % {"currency": base}
        return _("No %(currency)s in the account: there is nothing to protect.") % {"currency": base}

    def initial(self) -> dict[str, Decimal | None]:
        policy = policy_for(self.instrument.symbol)
        preview = coin_preview(self.instrument, policy, self.account.free)
        return {
            "quantity": self.free,
            "stop_price": preview.stop if preview else None,
            "take_profit_price": preview.target if preview else None,
        }

    def form(self, given: Mapping[str, Any] | None = None) -> PricesForm:
        """Says how much is free, unless amounts are hidden."""
        form = super().form(given)
        if self.free > 0 and not current_preferences().hides_amounts:
            known = {
                "free": amount_text(self.free, self.quantity_decimals),
                "currency": self.instrument.base_ccy,
            }
            template = _("%(free)s %(currency)s available: not protected, not in an open order.")
            form.fields["quantity"].help_text = template % known
        return form

    def quantity(self, values: Values) -> Decimal:
        return Decimal(values["quantity"])

    def check(self, values: Values) -> None:
        super().check(values)
        available_validate(instrument=self.instrument, quantity=values["quantity"], free=self.free)

    def seen(self) -> str:
        return format_decimal(self.free)

    def commit(self, review: Review, values: Values, lease: Lease | None) -> OcoGroup:
        return group_create(
            instrument_name=self.instrument.symbol,
            quantity=values["quantity"],
            stop_price=values["stop_price"],
            take_profit_price=values["take_profit_price"],
            account_context=self.account.account_context(self.instrument),
            requested_by=self.user_name,
            idempotency_key=review.key,
            now=self.now,
        )

    def find_committed(self, review: Review) -> OcoGroup | None:
        return OcoGroup.objects.filter(idempotency_key=review.key).first()


class FixWizard(OrderWizard):
    """Lot and cost stay; the worker places the new prices."""

    kind = "fix"
    form_class = PricesForm

    def __init__(self, request: HttpRequest, detail: GroupDetail, instrument: Instrument) -> None:
        super().__init__(request, instrument)
        self.detail = detail

    @property
    def group(self) -> OcoGroup:
        return self.detail.group

    @property
    def url(self) -> str:
        return reverse("protection-fix", args=[self.group.pk])

    def refusal_reason(self) -> str:
        if self.group.state != State.STOP_FAILED:
            return _("The stop of this protection has not failed, so there is nothing to fix.")
        if self.detail.buys_back:
            return _(
                "The prices of a buy-back cannot be changed. Remove it, or buy manually: the "
                "purchase is protected like any other."
            )
        return super().refusal_reason()

    def initial(self) -> dict[str, Decimal | None]:
        """The prices as they are; what the market has passed, with all above it, by the policy from the price now."""
        stop, target = self.group.stop_price, self.group.take_profit_price
        if self.terms is None or self.detail.buys_back:
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
        return self.detail.owned

    def proposal(self, values: Values) -> Proposal | None:
        """None for a buy-back: nothing can be proposed."""
        return None if self.detail.buys_back else super().proposal(values)

    def seen(self) -> str:
        """Not the number of its orders: the worker tries again in every cycle, also while one looks."""
        group, target = self.group, self.group.take_profit_price
        prices = (
            format_decimal(group.stop_price),
            "" if target is None else format_decimal(target),
            format_decimal(self.detail.owned),
        )
        return " ".join([group.state, *prices])

    def exclusive(self) -> AbstractContextManager[Lease | None]:
        return reprice_lease()

    def commit(self, review: Review, values: Values, lease: Lease | None) -> OcoGroup:
        assert lease is not None
        return group_reprice(
            lease=lease,
            group_id=self.group.pk,
            stop_price=values["stop_price"],
            take_profit_price=values["take_profit_price"],
            requested_by=self.user_name,
            now=self.now,
        )

    def find_committed(self, review: Review) -> OcoGroup | None:
        return self.group if UsedReview.objects.filter(nonce=review.nonce).exists() else None


@require_safe
@right_required(Right.TRADE)
def protect(request: HttpRequest, instrument: str) -> HttpResponse:
    """Step 1: quantity, stop and take profit."""
    return form_step(request, _protect_steps(request, instrument))


@require_http_methods(["GET", "HEAD", "POST"])
@right_required(Right.TRADE)
def protect_review(request: HttpRequest, instrument: str) -> HttpResponse:
    return review_step(request, _protect_steps(request, instrument))


@require_POST
@right_required(Right.TRADE)
def protect_send(request: HttpRequest, instrument: str) -> HttpResponse:
    return submit_step(request, _protect_steps(request, instrument))


@require_safe
@right_required(Right.TRADE)
def protection_fix(request: HttpRequest, pk: object) -> HttpResponse:
    """Step 1: why the stop failed, and the new prices."""
    return form_step(request, _fix_steps(request, pk))


@require_http_methods(["GET", "HEAD", "POST"])
@right_required(Right.TRADE)
def protection_fix_review(request: HttpRequest, pk: object) -> HttpResponse:
    return review_step(request, _fix_steps(request, pk))


@require_POST
@right_required(Right.TRADE)
def protection_fix_send(request: HttpRequest, pk: object) -> HttpResponse:
    return submit_step(request, _fix_steps(request, pk))


def _protect_steps(request: HttpRequest, instrument: str) -> ProtectWizard:
    return ProtectWizard(request, get_object_or_404(Instrument, symbol=instrument, inst_type=SPOT))


def _fix_steps(request: HttpRequest, pk: object) -> FixWizard:
    group = get_object_or_404(OcoGroup, pk=pk)
    detail = group_detail(group_id=group.pk)
    return FixWizard(request, detail, get_object_or_404(Instrument, symbol=group.instrument_name))
