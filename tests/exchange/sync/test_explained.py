"""How far a stream counts as read when an answer may be empty by error (dossier 10)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.core.times import EPOCH, NS_PER_MS, from_ms, to_ms
from exchange.sync.store import MAX_TRADE_LAG, MAX_TRADE_WAIT, empty_read_until, trades_read_until
from exchange.sync.windows import CYCLE_OVERLAP_NS
from tests.factories import OrderFactory, TradeFactory

pytestmark = pytest.mark.django_db
NOW = from_ms(1_785_600_000_000)
NOW_NS = to_ms(NOW) * NS_PER_MS


def ns(moment):
    return to_ms(moment) * NS_PER_MS


def executed(age, **changes):
    usual = {"status": "FILLED", "is_open": False, "has_fills": True, "filled_quantity": Decimal(2)}
    moment = NOW - age
    return OrderFactory(**(usual | {"created_at": moment, "updated_at": moment} | changes))


def read_until():
    return from_ms(trades_read_until(read_until_ns=NOW_NS, before_ns=NOW_NS, reported_from_ns=0) // NS_PER_MS)


OLD = MAX_TRADE_LAG + timedelta(minutes=1)


def test_an_order_without_its_trades_holds_them_back():
    order = executed(OLD)
    assert read_until() == order.updated_at


def test_so_does_one_of_which_a_part_is_told():
    order = executed(OLD)
    TradeFactory(order_id=order.order_id, quantity=Decimal(1))
    assert read_until() == order.updated_at


@pytest.mark.parametrize("name", ["order_id", "exchange_order_id"])
def test_with_its_trades_under_either_id_it_does_not(name):
    order = executed(OLD, exchange_order_id="77")
    TradeFactory(order_id=getattr(order, name), quantity=Decimal(2))
    assert read_until() == NOW


def test_nor_when_they_carry_its_name_alone():
    order = executed(OLD, client_oid="mine")
    TradeFactory(
        order_id="5",
        client_oid="mine",
        quantity=Decimal(2),
        instrument_name=order.instrument_name,
        create_time_ns=ns(order.created_at),
    )
    assert read_until() == NOW


@pytest.mark.parametrize("changes", [{"is_mirror": True}, {"has_fills": False}])
def test_what_executed_nothing_of_its_own_does_not(changes):
    executed(OLD, **changes)
    assert read_until() == NOW


def test_what_executed_just_now_has_time():
    executed(MAX_TRADE_LAG - timedelta(seconds=1))
    assert read_until() == NOW


def test_after_two_hours_it_is_given_up():
    executed(MAX_TRADE_WAIT + timedelta(seconds=1))
    before = NOW_NS - 3 * CYCLE_OVERLAP_NS * 10
    assert trades_read_until(read_until_ns=NOW_NS, before_ns=before, reported_from_ns=0) == NOW_NS


def test_what_is_left_to_the_slices_does_not_hold_them_back():
    executed(OLD)
    asked = {"read_until_ns": NOW_NS, "before_ns": NOW_NS, "reported_from_ns": ns(NOW - MAX_TRADE_LAG)}
    assert trades_read_until(**asked) == NOW_NS


def test_an_empty_answer_takes_a_stream_nowhere_for_two_hours():
    before = ns(NOW - timedelta(minutes=75))
    assert empty_read_until(read_until_ns=NOW_NS, before_ns=before) == before
    assert empty_read_until(read_until_ns=NOW_NS, before_ns=ns(EPOCH)) == ns(NOW - MAX_TRADE_WAIT)


def test_nor_does_it_leave_one_in_the_future():
    assert empty_read_until(read_until_ns=NOW_NS, before_ns=ns(NOW + timedelta(days=3))) == NOW_NS


def test_the_first_read_of_all_has_nothing_to_go_back_to():
    assert empty_read_until(read_until_ns=NOW_NS, before_ns=None) == NOW_NS
