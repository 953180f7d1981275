"""The process dies, or loses its lease, at any point: the next one finds its way (rules 6 and 15)."""

import pytest

from exchange.models import Lease
from oco.models import OcoGroup, OcoLeg
from portfolio.worker.runner import sync_run
from tests.oco.support import check, check_converged, group, ours, resting, target_of

WRITES = ("/create-", "/cancel-")


class Killed(BaseException):
    """kill -9: nothing below catches it."""


@pytest.fixture
def bought(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")


def die_at(monkeypatch, number, *, after):
    """The process ends right before or right after its request of that number."""
    from exchange.client.base import BaseClient

    original, seen = BaseClient._send, []

    def dying(self, question, params):
        seen.append(question.method)
        if len(seen) == number and not after:
            raise Killed
        answer = original(self, question, params)
        if len(seen) == number and after:
            raise Killed
        return answer

    monkeypatch.setattr(BaseClient, "_send", dying)
    return seen


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 11))
def test_killed_at_a_request_of_the_first_protection(desk, world, bought, monkeypatch, number, after):
    with monkeypatch.context() as patch:
        die_at(patch, number, after=after)
        with pytest.raises(Killed):
            desk.sync()
    check(world)
    for _ in range(3):
        desk.sync()
    assert (group().state, len(resting(world))) == ("ACTIVE", 2)
    check_converged(world)
    desk.sync_ok()
    assert not [method for method in desk.requested if any(part in method for part in WRITES)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(8, 16))
def test_killed_while_a_pair_is_replaced(desk, world, held, monkeypatch, number, after):
    world.fill(target_of(world), "0.004")
    with monkeypatch.context() as patch:
        seen = die_at(patch, number, after=after)
        try:
            desk.sync()
        except Killed:
            assert len(seen) == number
    for _ in range(3):
        desk.sync()
    assert group().state == "ACTIVE"
    check_converged(world)


def test_the_intent_is_written_before_a_byte_leaves(desk, world, bought, monkeypatch):
    def look(**_):
        assert OcoLeg.objects.filter(status="INTENT").count() == 2
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("oco.reconcile.execution.pair_place", look)
        with pytest.raises(Killed):
            desk.sync()
    assert ours(world) == []


def test_a_lease_lost_in_the_middle_stops_everything(desk, world, bought, monkeypatch):
    import oco.reconcile.execution

    original = oco.reconcile.execution.pair_place

    def slow(**requested):
        Lease.objects.update(token=99, holder="another")
        return original(**requested)

    monkeypatch.setattr(oco.reconcile.execution, "pair_place", slow)
    run = sync_run(trigger="test")
    assert run.status == "FAILED"
    assert "lease" in run.errors[0]
    assert ours(world) == []
    assert set(OcoLeg.objects.values_list("status", flat=True)) == {"INTENT"}


def test_a_restart_with_many_open_groups_costs_nothing(desk, world):
    world.deposit("USD", 1_000_000)
    desk.sync_ok()
    for _ in range(12):
        world.buy("BTC_USD", "0.01")
        world.buy("ETH_USD", "0.1")
    desk.sync_ok()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 24
    desk.sync_ok()
    assert len(desk.requested) == 7
