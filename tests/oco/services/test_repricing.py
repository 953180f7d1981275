"""Other prices for a stop that failed."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from exchange.core.reasons import reason
from exchange.services.lease import lease_holder, lease_take
from oco.models import OcoEvent, OcoGroup
from oco.services.groups import group_reprice, reprice_lease
from oco.services.validation import NotPossible
from tests.factories import GroupFactory, InstrumentFactory, LegFactory

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def failed():
    InstrumentFactory()
    return GroupFactory(state="STOP_FAILED")


def reprice(group, **changes):
    usual = {
        "group_id": group.pk,
        "stop_price": D("55000"),
        "take_profit_price": D("65000"),
        "requested_by": "alice",
        "now": timezone.now(),
    }
    with reprice_lease(sleep=lambda _seconds: None) as lease:
        return group_reprice(lease=lease, **(usual | changes))


def test_its_prices_change_and_the_journal_says_who(failed):
    reprice(failed)
    group = OcoGroup.objects.get()
    assert (group.stop_price, group.take_profit_price, group.state) == (D(55000), D(65000), "STOP_FAILED")
    assert OcoEvent.objects.get().stored_reason == reason(
        "PRICES_CHANGED", name="alice", stop=D(55000), target=D(65000)
    )
    assert lease_holder() == ""


def test_the_target_may_be_dropped(failed):
    reprice(failed, take_profit_price=None)
    assert OcoGroup.objects.get().take_profit_price is None
    assert OcoEvent.objects.get().reason_code == "PRICES_CHANGED_STOP_ONLY"


def test_not_while_a_cycle_is_at_work(failed):
    lease = lease_take(purpose="cycle")
    with pytest.raises(NotPossible, match="updating this account"):
        reprice(failed)
    lease.renew()
    assert OcoGroup.objects.get().stop_price == D(57000)


def test_a_cycle_at_work_is_waited_for_a_moment(failed):
    lease, waited = lease_take(purpose="cycle"), []

    def sleep(seconds):
        waited.append(seconds)
        lease.release()

    with reprice_lease(sleep=sleep) as ours:
        ours.renew()
    assert waited == [0.1]


@pytest.mark.parametrize("status", ["INTENT", "SENT", "ACCEPTED", "OPEN"])
def test_not_while_a_stop_may_rest(failed, status):
    LegFactory(group=failed, status=status)
    with pytest.raises(NotPossible, match="may be open"):
        reprice(failed)
    assert lease_holder() == ""


@pytest.mark.parametrize("changes", [{"state": "ACTIVE"}, {"cancel_requested_at": timezone.now()}])
def test_only_a_stop_that_failed_and_stays(failed, changes):
    OcoGroup.objects.update(**changes)
    with pytest.raises(NotPossible, match="failed stop"):
        reprice(failed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"stop_price": D("55000.001")}, "stop_price"), ({"take_profit_price": D(1)}, "take_profit_price")],
)
def test_prices_that_the_exchange_cannot_take_are_refused(failed, changes, field):
    with pytest.raises(NotPossible) as refusal:
        reprice(failed, **changes)
    assert refusal.value.field == field


def test_an_unknown_group_is_not_there(failed):
    with pytest.raises(OcoGroup.DoesNotExist):
        reprice(failed, group_id=uuid4())
