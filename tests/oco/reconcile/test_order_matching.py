"""Is this order of the exchange that leg of ours? (rule 6)"""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from oco.engine.types import LegStatus
from oco.reconcile.order_matching import is_ours, leg_of, status_of
from tests.factories import OrderFactory
from tests.oco.factories import LegFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def stop_order(leg, **changes):
    usual = {
        "name_space": "ADVANCED",
        "client_oid": leg.client_oid,
        "instrument_name": "BTC_USD",
        "side": "SELL",
        "order_type": "STOP_LOSS",
        "quantity": Decimal("1.000"),
        "price": None,
        "trigger_price": Decimal("95.00"),
    }
    return OrderFactory.build(**(usual | changes))


def test_the_same_in_every_respect():
    leg = LegFactory()
    assert is_ours(leg, stop_order(leg))


@pytest.mark.parametrize(
    "change",
    [
        {"client_oid": "another"},
        {"instrument_name": "ETH_USD"},
        {"side": "BUY"},
        {"order_type": "STOP_LIMIT"},
        {"quantity": Decimal("0.9")},
        {"trigger_price": Decimal("94")},
        {"name_space": "PLAIN"},
    ],
)
def test_any_difference_makes_it_another(change):
    leg = LegFactory()
    assert not is_ours(leg, stop_order(leg, **change))


@pytest.mark.parametrize("status", ["FILLED", "CANCELED", "EXPIRED", "REJECTED"])
def test_an_end_is_the_exchanges_own(status):
    assert status_of(OrderFactory.build(status=status), "OPEN", seen=True) == status


@pytest.mark.parametrize("before", ["INTENT", "SENT", "ACCEPTED", "REFUSED", "ABSENT"])
def test_seen_open_is_open_whatever_was_believed(before):
    assert status_of(OrderFactory.build(status="PENDING"), before, seen=True) == "OPEN"


def test_a_record_alone_is_not_open():
    assert status_of(OrderFactory.build(status="ACTIVE"), "SENT", seen=False) == "ACCEPTED"


def test_what_has_ended_never_opens_again():
    assert status_of(OrderFactory.build(status="ACTIVE"), "FILLED", seen=True) == "FILLED"


def leg_status(status, *, seen=False, lists_read=True, age=60):
    leg = LegFactory.build(status=status, order_id="7", sent_at=NOW - timedelta(seconds=age))
    keys = {("ADVANCED", "7")} if seen else set()
    return leg_of(leg, started=NOW, seen=keys, lists_read=lists_read).status


def test_open_and_in_no_list_is_unknown():
    assert leg_status("OPEN", seen=True) is LegStatus.OPEN
    assert leg_status("OPEN") is LegStatus.UNKNOWN


def test_a_list_that_was_not_read_says_nothing():
    assert leg_status("OPEN", lists_read=False) is LegStatus.OPEN


def test_accepted_in_an_earlier_cycle_and_never_seen_is_unknown():
    assert leg_status("ACCEPTED") is LegStatus.UNKNOWN
    assert leg_status("ACCEPTED", age=0) is LegStatus.ACCEPTED


@pytest.mark.parametrize("status", ["INTENT", "SENT"])
def test_about_to_be_sent_is_unknown(status):
    assert leg_status(status) is LegStatus.UNKNOWN
