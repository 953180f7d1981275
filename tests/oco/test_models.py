"""What the database itself refuses."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from oco.engine.states import State
from oco.models import AppendOnly, LotTrade, OcoEvent, Watermark
from oco.policies import policies_read
from tests.oco.factories import GroupFactory, LegFactory, LotFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["PENDING", "ACTIVE", "UNKNOWN", "STOP_FAILED"])
def test_a_lot_has_one_open_group(state):
    group = GroupFactory(state=State.ACTIVE)
    with pytest.raises(IntegrityError):
        GroupFactory(lot=group.lot, state=state)


def test_beside_any_number_of_ended_ones():
    group = GroupFactory(state=State.RELEASED)
    GroupFactory(lot=group.lot, state=State.CLOSED_BY_STOP)
    GroupFactory(lot=group.lot, state=State.ACTIVE)


def test_a_trade_is_in_one_lot():
    LotTrade.objects.create(trade_id="1", lot=LotFactory())
    with pytest.raises(IntegrityError):
        LotTrade.objects.create(trade_id="1", lot=LotFactory())


def test_an_order_has_one_name_and_a_name_one_order():
    leg = LegFactory()
    with pytest.raises(IntegrityError):
        LegFactory(client_oid=leg.client_oid)


def test_a_generation_has_one_order_for_each_purpose():
    leg = LegFactory()
    with pytest.raises(IntegrityError):
        LegFactory(group=leg.group)


def test_the_policy_for_sales_is_off_at_first():
    policies = policies_read()
    assert (policies.of("BTC_USD").enabled, policies.of("BTC_USD", "SELL").enabled) == (True, False)


def test_a_lot_that_buys_back_says_what_a_coin_may_cost():
    with pytest.raises(IntegrityError):
        LotFactory(side="SELL", quote_ccy="USD")


def test_there_is_one_watermark():
    Watermark.objects.create(since_ns=1)
    with pytest.raises(IntegrityError):
        Watermark.objects.create(since_ns=2)


def test_the_journal_is_only_added_to():
    event = OcoEvent.objects.create(group=GroupFactory(), at=timezone.now(), new="PENDING", reason="so")
    event.reason = "otherwise"
    with pytest.raises(AppendOnly):
        event.save()
    with pytest.raises(AppendOnly):
        event.delete()
