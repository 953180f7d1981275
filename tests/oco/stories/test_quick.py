"""What only rests is looked at once a cycle, so that a new fill is covered as fast beside many groups."""

import pytest

from oco.models import OcoGroup
from oco.reconcile import lookup, loop
from tests.oco.support import resting, target_of


@pytest.fixture
def decided(monkeypatch):
    """The groups that were decided about, in order."""
    found, real = [], loop.reconcile_group

    def spy(*, context, group, groups_snapshot):
        found.append(group.pk)
        real(context=context, group=group, groups_snapshot=groups_snapshot)

    monkeypatch.setattr(loop, "reconcile_group", spy)
    return found


@pytest.fixture
def recorded(monkeypatch):
    """The ids of the orders that were written down after they were read back."""
    found, real = [], lookup.order_record_all

    def spy(*, orders, now):
        found.extend(order.order_id for order in orders)
        return real(orders=orders, now=now)

    monkeypatch.setattr(lookup, "order_record_all", spy)
    return found


def test_a_covered_group_is_decided_once_while_another_forms(desk, world, held, decided):
    old = OcoGroup.objects.get()
    world.buy("BTC_USD", "0.02")
    desk.sync_ok()
    new = OcoGroup.objects.exclude(pk=old.pk).get()
    assert (decided.count(old.pk), decided.count(new.pk)) == (1, 2)
    assert {old.state, new.state} == {"ACTIVE"}


def test_only_news_is_written_down_when_it_is_read_back(desk, world, held, recorded):
    before = {order.order_id for order in resting(world)}
    world.buy("BTC_USD", "0.02")
    desk.sync_ok()
    assert set(recorded) == {order.order_id for order in resting(world)} - before


def test_a_covered_group_whose_orders_go_meanwhile_is_decided_again(desk, world, held, decided):
    """The stop fills after it was read and before it is read back."""
    old = OcoGroup.objects.get()
    world.buy("ETH_USD", "1")
    world.faults.add("delay", "private/advanced/create-oco", seconds=1, times=1)
    tick, done = world.app.sleep, []

    def fall(seconds):
        tick(seconds)
        if not done:
            done.append(world.move("BTC_USD", -6))

    world.app.sleep = fall
    desk.sync_ok()
    assert decided.count(old.pk) == 2
    old.refresh_from_db()
    assert old.state == "CLOSED_BY_STOP"


def test_a_covered_group_whose_orders_cannot_be_found_any_more_is_not_called_covered(desk, world, held):
    """They go after they were read, and neither record nor history can be read: nobody has seen them since (rule 5)."""
    old = OcoGroup.objects.get()
    world.buy("ETH_USD", "1")
    world.faults.add("delay", "private/advanced/create-oco", seconds=1, times=1)
    world.faults.add("refuse", "private/advanced/get-order-list-detail", code=40003, times=9)
    world.faults.add("refuse", "private/advanced/get-order-detail", code=40003, times=9)
    world.faults.add("refuse", "private/*get-order-history", code=40003, times=9)
    target, tick, done = target_of(world), world.app.sleep, []

    def cancel(seconds):
        tick(seconds)
        if not done:
            done.append(world.cancel(target))

    world.app.sleep = cancel
    desk.sync()
    old.refresh_from_db()
    assert old.state == "UNKNOWN"
