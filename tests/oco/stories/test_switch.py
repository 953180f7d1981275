"""The kill switch, and the settings that hold orders back (rule 13)."""

from decimal import Decimal

from exchange.core.reasons import reason
from exchange.models import TradingSwitch
from oco.models import OcoGroup
from oco.services.groups import group_cancel, group_create
from oco.services.kill_switch import resume_trading, stop_trading
from tests.oco.support import check_converged, group, ours, resting, stop_of, target_of

D = Decimal
OFF = reason("KILL_SWITCH_ON", name="alice")


def off(desk):
    stop_trading(changed_by="alice", now=desk.now)


def test_with_the_switch_on_nothing_is_placed(desk, world):
    desk.sync_ok()
    off(desk)
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    assert (group().state, ours(world)) == ("PENDING", [])
    assert group().stored_reason == OFF
    resume_trading(changed_by="alice", now=desk.now)
    desk.sync_ok()
    check_converged(world)


def test_with_trading_disabled_nothing_is_placed(desk, world, settings):
    settings.TRADING_ENABLED = False
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    assert (group().state, ours(world)) == ("PENDING", [])


def test_existing_orders_stay_and_end_as_ever(desk, world, held):
    off(desk)
    desk.sync_ok()
    assert len(resting(world)) == 2
    world.move("BTC_USD", -6)
    desk.sync_ok()
    assert group().state == "CLOSED_BY_STOP"


def test_a_person_may_still_take_protection_away(desk, world, held):
    off(desk)
    group_cancel(group_id=group().pk, requested_by="alice", now=desk.now)
    desk.sync_ok()
    assert (group().state, resting(world)) == ("RELEASED", [])


def test_no_replacement_is_begun(desk, world, held):
    off(desk)
    target = target_of(world)
    world.fill(target, "0.004")
    desk.sync_ok()
    assert resting(world) == [target]


def test_a_replacement_that_has_begun_is_finished(desk, world, held):
    world.fill(target_of(world), "0.004")
    world.set_behaviour(cancel_delay_ms=30_000)
    desk.sync_ok()
    off(desk)
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.006")


def test_a_switch_that_is_turned_between_decision_and_request_binds(desk, world, monkeypatch):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    monkeypatch.setattr("oco.reconcile.loop.create_blocked_reason", lambda: None)
    off(desk)
    desk.sync_ok()
    assert ours(world) == []
    assert TradingSwitch.objects.get().is_off


def test_without_auto_protect_new_entries_are_passed_over_for_ever(desk, world, settings):
    desk.sync_ok()
    settings.AUTO_PROTECT = False
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    assert OcoGroup.objects.count() == 0


def test_without_auto_protect_existing_groups_are_healed(desk, world, held, settings):
    settings.AUTO_PROTECT = False
    world.fill(target_of(world), "0.004")
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.006")


def protect_by_hand(desk, **changes):
    requested = {
        "instrument_name": "BTC_USD",
        "quantity": D("0.01"),
        "stop_price": D("55000.00"),
        "take_profit_price": D("70000.00"),
        "requested_by": "alice",
        "now": desk.now,
    }
    return group_create(**(requested | changes))


def test_a_person_protects_what_was_held_before(desk, world, settings):
    settings.AUTO_PROTECT = False
    world.deposit("BTC", 1)
    desk.sync_ok()
    protect_by_hand(desk)
    desk.sync_ok()
    assert (group().state, stop_of(world).ref_price) == ("ACTIVE", D("55000.00"))
    check_converged(world)


def test_asking_twice_with_one_key_makes_one_group(desk, world):
    world.deposit("BTC", 1)
    desk.sync_ok()
    first = protect_by_hand(desk, idempotency_key="one")
    assert protect_by_hand(desk, idempotency_key="one") == first


def test_coins_that_a_person_asked_for_and_are_not_there_are_never_sold(desk, world):
    world.deposit("BTC", "0.004")
    desk.sync_ok()
    protect_by_hand(desk)
    for _ in range(3):
        desk.sync_ok()
    assert stop_of(world).quantity == D("0.004")
