"""Answers that get lost: looked for, never repeated blindly, never doubled (rule 6)."""

import pytest

import oco.reconcile.execution
from oco.models import OcoGroup, OcoLeg
from tests.oco.support import check_converged, group, ours, resting, states, stop_of

OCO = "private/advanced/create-oco"
LOST = ["process_then_drop", "garbage", "truncate"]


@pytest.fixture
def bought(desk, world):
    """A buy that no cycle has seen yet."""
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_looked_up_in_the_same_cycle(desk, world, bought, kind):
    world.faults.add(kind, OCO, times=1)
    desk.sync()
    assert len(ours(world)) == 2
    assert group().state == "ACTIVE"
    check_converged(world)


@pytest.mark.parametrize("code", [40801, 50001, 120009])
def test_a_code_that_proves_nothing_is_looked_up(desk, world, bought, code):
    world.faults.add("process_then_refuse", OCO, code=code, times=1)
    desk.sync()
    assert (len(ours(world)), group().state) == (2, "ACTIVE")


def test_an_answer_without_ids_is_looked_up(desk, world, bought):
    world.faults.add("without_ids", OCO, times=1)
    desk.sync()
    assert (len(ours(world)), group().state) == (2, "ACTIVE")


def test_an_order_that_cannot_be_read_for_two_seconds_is_found_a_cycle_later(desk, world, bought):
    world.set_behaviour(ack_delay_ms=2000)
    desk.sync()
    assert group().state == "PENDING"
    desk.sync()
    assert (len(ours(world)), group().state) == (2, "ACTIVE")


def test_a_request_that_never_arrived_is_sent_again_under_its_name_after_two_looks(desk, world, bought):
    world.faults.add("drop_before", OCO, times=1)
    desk.sync()
    assert (group().state, ours(world)) == ("UNKNOWN", [])
    names = set(OcoLeg.objects.values_list("client_oid", flat=True))
    desk.sync()
    assert {order.client_oid for order in resting(world)} == names
    assert states() == ["PENDING", "UNKNOWN", "PENDING", "ACTIVE"]
    check_converged(world)


def deaf_after_placing(world, monkeypatch):
    """The pair is placed, its answer is lost, and from then on nothing about such orders can be read."""
    place = oco.reconcile.execution.pair_place

    def placing(**requested):
        answer = place(**requested)
        world.faults.add("http", "*get-order-detail", status=502)
        world.faults.add("http", "private/advanced/*", status=502)
        return answer

    world.faults.add("process_then_drop", OCO, times=1)
    monkeypatch.setattr(oco.reconcile.execution, "pair_place", placing)


def test_unknown_stays_unknown_while_nobody_answers_details(desk, world, bought, monkeypatch):
    deaf_after_placing(world, monkeypatch)
    for _ in range(3):
        desk.sync()
        assert group().state == "UNKNOWN"
    world.faults.clear()
    desk.sync()
    assert (len(ours(world)), group().state) == (2, "ACTIVE")


def test_an_order_hidden_for_half_an_hour_is_not_placed_twice(desk, world, bought):
    world.faults.add("hide_order", OCO, seconds=1800, times=1)
    world.faults.add("process_then_drop", OCO, times=1)
    for _ in range(29):
        desk.sync()
        assert len(resting(world)) == 2
    world.faults.clear()
    desk.sync()
    desk.sync()
    assert len(ours(world)) == 2
    assert group().state == "ACTIVE"
    check_converged(world)


def test_a_group_does_not_close_while_a_leg_is_unknown(desk, world, bought, monkeypatch):
    deaf_after_placing(world, monkeypatch)
    desk.sync()
    OcoGroup.objects.update(cancel_requested_at=desk.now, cancel_requested_by="alice")
    desk.sync()
    assert group().state == "UNKNOWN"
    world.faults.clear()
    desk.sync()
    assert (group().state, resting(world)) == ("RELEASED", [])


def test_a_foreign_order_with_our_name_but_another_shape_proves_nothing(desk, world, bought):
    world.faults.add("drop_before", OCO, times=1)
    desk.sync()
    name = OcoLeg.objects.get(order_role="STOP_LOSS").client_oid
    world.set_behaviour(client_oid_unique="while_open")
    foreign = world.buy("ETH_USD", "0.01", "1000", client_oid=name)
    desk.sync()
    assert group().state == "UNKNOWN"
    world.cancel(foreign)
    assert foreign.client_oid == name


def test_an_order_that_vanishes_is_looked_for_before_it_is_replaced(desk, world, held):
    world.hide(stop_of(world), 70)
    desk.sync()
    assert group().state == "UNKNOWN"
    desk.sync()
    assert (group().state, len(ours(world))) == ("ACTIVE", 2)


def test_a_hidden_pair_whose_re_send_is_refused_gets_no_second_stop(desk, world, bought):
    world.faults.add("hide_order", OCO, seconds=150, times=1)
    desk.sync()
    world.faults.add("refuse", OCO, code=50007, times=2)
    for _ in range(4):
        desk.sync()
    assert len(ours(world)) == 2
    assert group().state == "ACTIVE"


def test_a_group_does_not_end_before_an_acknowledged_order_is_ruled_out(desk, world, bought):
    world.faults.add("hide_order", OCO, seconds=1800, times=1)
    for _ in range(3):
        desk.sync()
    OcoGroup.objects.update(cancel_requested_at=desk.now, cancel_requested_by="alice")
    for _ in range(10):
        desk.sync()
        assert group().state == "UNKNOWN"
    world.tick(1200)
    desk.sync()
    assert (group().state, resting(world)) == ("RELEASED", [])


def test_a_hidden_sale_is_known_by_its_trade_and_not_repeated(desk, world):
    world.deposit("BTC", 1)
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -7)
    world.faults.add("hide_order", "private/create-order", seconds=600, times=1)
    world.faults.add("process_then_drop", "private/create-order", times=1)
    for _ in range(12):
        desk.sync()
        assert world.balance("BTC") == 1
    assert (group().state, order.status) == ("CLOSED_BY_EXIT", "FILLED")


def test_a_204_for_the_stop_alone_does_not_vouch_for_the_target(desk, world, bought):
    world.faults.add("refuse", OCO, code=50007, times=1)
    world.faults.add("hide_order", "private/advanced/create-order", seconds=150, times=1)
    for _ in range(5):
        desk.sync()
    alone, *pair = [leg.order_role for leg in OcoLeg.objects.filter(generation__gte=2).order_by("pk")]
    assert (alone, sorted(pair), group().state) == ("STOP_LOSS", ["STOP_LOSS", "TAKE_PROFIT"], "ACTIVE")
    assert sorted(order.order_type for order in resting(world)) == ["LIMIT", "STOP_LOSS"]
