"""Numbers inside Spanish sentences have a decimal comma."""

from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, override

from exchange.core.numbers import plain_sentences
from exchange.models import AuditEntry
from exchange.models.audit import TradingSwitch
from oco.forms import PolicyForm
from oco.models import ProtectionPolicy
from oco.services.confirmations import OpenedReview, Review
from portfolio.views.simulator import simulator_context


def policy_error(check, **values):
    form = PolicyForm.__new__(PolicyForm)
    form.instance = ProtectionPolicy()
    form.cleaned_data = {"side": "BUY", **values}
    with override("es"), pytest.raises(ValidationError) as caught:
        check(form)
    return caught.value.message


def test_the_limits_of_a_policy():
    assert policy_error(PolicyForm.clean_stop_pct, stop_pct=D("0.01")).startswith("Entre 0,1 y 99")
    assert policy_error(PolicyForm.clean_target_pct, target_pct=D(901)).startswith("Entre 0,1 y 900")
    assert "0,1" in policy_error(PolicyForm.clean_target_pct, side="SELL", target_pct=D(95))


def test_a_price_that_moved_since_a_review():
    review = Review(kind="x", user="u", requested={}, seen="s", price=D(100))
    opened = OpenedReview(review=review, is_fresh=True)
    with override("es"):
        assert "más de un 0,5 % desde" in opened.stale_reason(seen="s", price=D(101))
        with plain_sentences():
            assert "0.5 %" in opened.stale_reason(seen="s", price=D(101))


def test_the_simulator_has_a_true_minus_and_sends_a_plain_one(settings):
    settings.ENVIRONMENT = "DRY_RUN"
    assert ("-12", "−12") in simulator_context([])["simulator"]["percentages"]


def test_many_entries_of_the_audit_log_are_in_the_plural_and_the_switch_has_one_name():
    with override("es"):
        assert gettext(str(AuditEntry._meta.verbose_name_plural)) == "entradas de auditoría"
        assert gettext(str(TradingSwitch._meta.verbose_name)) == "interruptor de emergencia"
