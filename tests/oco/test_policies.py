"""Which policy applies (rule 3)."""

from decimal import Decimal

import pytest

from oco.models import ProtectionPolicy
from oco.policies import policy_for

pytestmark = pytest.mark.django_db


def test_the_first_default_comes_from_the_settings(settings):
    settings.STOP_LOSS_PCT, settings.TAKE_PROFIT_PCT = Decimal("4"), Decimal("9.5")
    policy = policy_for("BTC_USD")
    assert (policy.stop_pct, policy.target_pct) == (Decimal("4"), Decimal("9.5"))


def test_afterwards_the_row_counts(settings):
    policy_for("BTC_USD")
    ProtectionPolicy.objects.update(stop_pct=Decimal("7"))
    settings.STOP_LOSS_PCT = Decimal("4")
    assert policy_for("BTC_USD").stop_pct == Decimal("7")


def test_an_instrument_may_have_its_own():
    ProtectionPolicy.objects.create(instrument_name="SOL_USD", stop_pct=Decimal("8"))
    assert policy_for("SOL_USD").stop_pct == Decimal("8")
    assert policy_for("BTC_USD").stop_pct == Decimal("5")


def test_what_is_sold_is_never_bought_back_by_itself():
    assert not policy_for("BTC_USD", ProtectionPolicy.Side.SELL).enabled
    assert policy_for("BTC_USD").enabled
