"""What a person may ask for."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from exchange.core.reasons import reason
from oco.models import Lot, OcoEvent, OcoGroup
from oco.services.groups import group_cancel, group_create
from oco.services.validation import AccountContext, NotPossible
from tests.factories import InstrumentFactory, OrderFactory
from tests.oco.factories import GroupFactory, LotFactory

pytestmark = pytest.mark.django_db
D = Decimal
NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def account_context(held="1", mark="60000", **changes):
    return AccountContext(held=D(held), mark=mark and D(mark), **changes)


def ask(**changes):
    InstrumentFactory()
    usual = {
        "instrument_name": "BTC_USD",
        "quantity": D("0.1"),
        "stop_price": D("57000"),
        "take_profit_price": D("70000"),
        "requested_by": "alice",
        "now": NOW,
    }
    return group_create(**(usual | changes))


def test_it_records_the_wish_and_who_had_it():
    group = ask()
    assert (group.state, group.requested_by, group.lot.by_person) == ("PENDING", "alice", True)
    assert OcoEvent.objects.get().stored_reason == reason("REQUESTED", name="alice")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"instrument_name": "XYZ_USD"}, "instrument_name"),
        ({"quantity": D("0.000001")}, "quantity"),
        ({"quantity": D(-1)}, "quantity"),
        ({"quantity": D("0.00001")}, "quantity"),
        ({"stop_price": D("57000.001")}, "stop_price"),
        ({"stop_price": D(0)}, "stop_price"),
        ({"take_profit_price": D("56000")}, "take_profit_price"),
        ({"account_context": account_context(held="0.05")}, "quantity"),
        ({"account_context": account_context(mark="57000")}, "stop_price"),
        ({"account_context": account_context(mark="70000")}, "take_profit_price"),
        ({"account_context": account_context(mark="6999.99"), "stop_price": D(6900)}, "take_profit_price"),
        ({"account_context": account_context(mark="57200")}, "stop_price"),
        ({"account_context": account_context(mark=None)}, ""),
        ({"account_context": account_context(stale="It is old.")}, ""),
    ],
)
def test_what_cannot_be_done_is_said_with_the_field(change, field):
    with pytest.raises(NotPossible) as refusal:
        ask(**change)
    assert refusal.value.field == field
    assert Lot.objects.count() == 0


def test_coins_that_a_lot_has_already_are_not_given_away_twice():
    LotFactory(bought=D(1))
    with pytest.raises(NotPossible, match=r"Only 0\.05000 BTC"):
        ask(account_context=account_context("1.05"))
    ask(account_context=account_context("1.1"))


def test_coins_behind_an_order_of_others_are_not_free():
    OrderFactory(side="SELL", quantity=D("0.04"), price=D(70000))
    with pytest.raises(NotPossible, match=r"Only 0\.06000 BTC"):
        ask(account_context=account_context("0.1"))
    ask(account_context=account_context("0.14"))


def test_a_stop_too_near_for_a_pair_may_stand_alone():
    assert (
        ask(account_context=account_context(mark="57200"), take_profit_price=None).take_profit_price is None
    )


def test_a_stop_alone_may_be_asked_for():
    assert ask(take_profit_price=None).take_profit_price is None


def test_the_same_key_is_the_same_wish():
    assert ask(idempotency_key="k") == ask(idempotency_key="k", quantity=D("0.2"))
    assert OcoGroup.objects.count() == 1


def test_taking_it_away_is_noted_once():
    group = GroupFactory()
    group_cancel(group_id=group.pk, requested_by="alice", now=NOW)
    again = group_cancel(group_id=group.pk, requested_by="bob", now=NOW)
    assert again.cancel_requested_by == "alice"
    assert OcoEvent.objects.count() == 1


def test_what_has_ended_cannot_be_taken_away():
    with pytest.raises(NotPossible, match=r"already closed \(Stop hit\)"):
        group_cancel(group_id=GroupFactory(state="CLOSED_BY_STOP").pk, requested_by="alice", now=NOW)


def test_what_is_not_there_cannot_be_taken_away_either():
    with pytest.raises(OcoGroup.DoesNotExist):
        group_cancel(group_id=uuid4(), requested_by="alice", now=NOW)
