"""Protect a position that is held."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from exchange.fields import plain
from exchange.models import Instrument
from exchange.services import Held
from oco.holdings import Committed
from oco.models import OcoGroup
from oco.policies import policy_for
from oco.preview import coin_preview
from oco.pricing import whole_lots
from oco.reviews import Review
from oco.services import SPOT, NotPossible, group_create
from oco.shares import foreign_read
from oco.wishform import LevelsForm, WishForm
from portfolio.pages.protection.steps import Steps, Values
from portfolio.pages.protection.walk import step_review, step_send, step_set
from portfolio.web.display import display_now


class Protecting(Steps):
    """For coins that belong to no protection yet."""

    kind = "protect"
    form_class = WishForm

    @property
    def address(self) -> str:
        return reverse("protect", args=[self.instrument.symbol])

    @cached_property
    def taken(self) -> Decimal:
        """What orders that we did not send may sell: it comes before ours (rule 2)."""
        return foreign_read().get(self.instrument.base_ccy, Committed()).total

    @cached_property
    def free(self) -> Decimal:
        """In no protection, and behind no order of others; on the grid."""
        amount = self.account.free.held.get(self.instrument.base_ccy, Decimal())
        return whole_lots(amount - self.taken, self.instrument.qty_tick_size)

    def why_not(self) -> str:
        if not self.free:
            words = _("No %(currency)s is free: all that is held is protected, or behind another order.")
            return words % {"currency": self.instrument.base_ccy}
        return super().why_not()

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
        if not display_now().hides_amounts:
            known = {"free": self.written("quantity", self.free), "currency": self.instrument.base_ccy}
            words = _("%(free)s %(currency)s are free: in no protection, and behind no other order.")
            form.fields["quantity"].help_text = words % known
        return form

    def quantity(self, values: Values) -> Decimal:
        return Decimal(values["quantity"])

    def check(self, values: Values) -> None:
        super().check(values)
        if values["quantity"] > self.free:
            words = _("Only %(free)s %(currency)s are free: the rest is protected, or behind another order.")
            known = {"free": self.written("quantity", self.free), "currency": self.instrument.base_ccy}
            raise NotPossible(words % known, field="quantity")

    def seen(self) -> str:
        return plain(self.free)

    def commit(self, review: Review, values: Values, held: Held | None) -> OcoGroup:
        return group_create(
            instrument_name=self.instrument.symbol,
            quantity=values["quantity"],
            stop_price=values["stop_price"],
            take_profit_price=values["take_profit_price"],
            held=self.account.held(self.instrument.base_ccy) - self.taken,
            requested_by=self.user_name,
            idempotency_key=review.key,
            now=self.now,
        )

    def committed(self, review: Review) -> OcoGroup | None:
        return OcoGroup.objects.filter(idempotency_key=review.key).first()


def _steps(request: HttpRequest, instrument: str) -> Protecting:
    return Protecting(request, get_object_or_404(Instrument, symbol=instrument, inst_type=SPOT))


@require_safe
@login_required
def protect(request: HttpRequest, instrument: str) -> HttpResponse:
    """Step 1: how much, which stop, which target."""
    return step_set(request, _steps(request, instrument))


@require_POST
@login_required
def protect_review(request: HttpRequest, instrument: str) -> HttpResponse:
    return step_review(request, _steps(request, instrument))


@require_POST
@login_required
def protect_send(request: HttpRequest, instrument: str) -> HttpResponse:
    return step_send(request, _steps(request, instrument))
