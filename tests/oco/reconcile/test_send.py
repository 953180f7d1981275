"""The one service that sends (rules 13 and 15)."""

from decimal import Decimal

import pytest
from django.db import DatabaseError
from django.utils import timezone

from exchange.client.errors import (
    AuthError,
    DuplicateOrder,
    NotActive,
    NotSent,
    RateLimited,
    Refused,
    UnknownOutcome,
)
from exchange.models import Lease, TradingSwitch
from exchange.schemas import Ack, NameSpace, NewOrder
from exchange.services.lease import LeaseLost, lease_take
from exchange.services.order_execution import (
    Outcome,
    TradingDisabled,
    create_blocked_reason,
    order_cancel,
    order_place,
    pair_cancel,
    pair_place,
)
from oco.services.kill_switch import resume_trading, stop_trading
from oco.services.validation import NotPossible

pytestmark = pytest.mark.django_db
ORDER = NewOrder(
    instrument_name="BTC_USD", side="SELL", type="MARKET", client_oid="xd1", quantity=Decimal("0.01")
)


class Exchange:
    """Answers every write alike, and keeps what it was asked."""

    def __init__(self, failure=None):
        self.failure, self.asked = failure, []

    def _answer(self, name, answer):
        self.asked.append(name)
        if self.failure:
            raise self.failure(method=name, message="no", code=1, order_id="77")
        return answer

    def order_create(self, *_):
        return self._answer("create", Ack(order_id="7", client_oid="xd1", code=0, message=""))

    def oco_create(self, *_):
        return self._answer("pair", "list 1")

    def order_cancel(self, *_, **__):
        return self._answer("cancel", Ack(order_id="7", client_oid="", code=0, message=""))

    def oco_cancel(self, *_):
        return self._answer("cancel pair", None)


@pytest.fixture
def lease():
    return lease_take(purpose="test")


def placed(client, lease, **more):
    return order_place(client=client, lease=lease, name_space=NameSpace.PLAIN, order=ORDER, **more)


def test_an_order_and_a_pair_are_placed(lease):
    client = Exchange()
    assert placed(client, lease).order_id == "7"
    assert pair_place(client=client, lease=lease, target=ORDER, stop=ORDER).list_id == "list 1"
    assert client.asked == ["create", "pair"]


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (UnknownOutcome, Outcome.UNKNOWN),
        (DuplicateOrder, Outcome.EXISTS),
        (NotSent, Outcome.NOT_SENT),
        (RateLimited, Outcome.NOT_SENT),
        (Refused, Outcome.REFUSED),
        (AuthError, Outcome.REFUSED),
    ],
)
def test_every_failure_is_an_answer(lease, failure, outcome):
    answer = placed(Exchange(failure), lease)
    assert (answer.outcome, answer.code) == (outcome, 1)
    assert answer.error
    assert answer.reason.exchange_code == 1


def test_a_cancel_that_comes_too_late_says_so(lease):
    answer = order_cancel(
        client=Exchange(NotActive), lease=lease, name_space=NameSpace.ADVANCED, order_id="7"
    )
    assert answer.outcome is Outcome.TOO_LATE


def test_the_switch_holds_creates_back_and_never_cancels(lease):
    client = Exchange()
    stop_trading(changed_by="alice", now=timezone.now())
    with pytest.raises(TradingDisabled, match="KILL_SWITCH_ON"):
        placed(client, lease)
    with pytest.raises(TradingDisabled):
        pair_place(client=client, lease=lease, target=ORDER, stop=ORDER)
    order_cancel(client=client, lease=lease, name_space=NameSpace.PLAIN, order_id="7")
    pair_cancel(client=client, lease=lease, list_id="1")
    assert client.asked == ["cancel", "cancel pair"]


def test_what_was_begun_is_finished(lease):
    stop_trading(changed_by="alice", now=timezone.now())
    assert placed(Exchange(), lease, bypass_kill_switch=True).outcome is Outcome.ACCEPTED


def test_so_does_the_setting(lease, settings):
    settings.TRADING_ENABLED = False
    with pytest.raises(TradingDisabled, match="TRADING_DISABLED"):
        placed(Exchange(), lease)


def test_a_switch_that_cannot_be_read_counts_as_on(monkeypatch):
    def broken():
        raise DatabaseError

    monkeypatch.setattr(TradingSwitch.objects, "first", broken)
    assert create_blocked_reason().code == "KILL_SWITCH_UNREADABLE"


def test_turning_it_off_again_needs_a_person():
    stop_trading(changed_by="alice", now=timezone.now(), reason="holiday")
    with pytest.raises(NotPossible):
        resume_trading(changed_by="", now=timezone.now())
    resume_trading(changed_by="bob", now=timezone.now())
    assert (create_blocked_reason(), TradingSwitch.objects.get().changed_by) == (None, "bob")


def test_without_the_lease_nothing_is_sent(lease):
    client = Exchange()
    Lease.objects.update(token=lease.token + 1)
    with pytest.raises(LeaseLost):
        placed(client, lease, bypass_kill_switch=True)
    with pytest.raises(LeaseLost):
        pair_cancel(client=client, lease=lease, list_id="1")
    assert client.asked == []
