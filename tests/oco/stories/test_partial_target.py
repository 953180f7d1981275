"""The target fills in part, and the exchange kills the stop (rule 8)."""

from decimal import Decimal

from tests.oco.support import check_converged, group, ours, resting, states, stop_of, target_of

D = Decimal


def test_the_rest_is_armed_again_in_the_same_cycle(desk, world, held):
    world.fill(target_of(world), "0.004")
    desk.sync_ok()
    assert stop_of(world).quantity == target_of(world).quantity == D("0.006")
    assert states() == ["PENDING", "ACTIVE", "REPLACING", "ACTIVE"]
    check_converged(world)


def test_near_the_target_it_may_work_one_more_cycle(desk, world, held):
    target = target_of(world)
    world.fill(target, "0.004")
    world.set_price("BTC_USD", target.limit_price * D("0.998") // D("0.01") * D("0.01"))
    desk.sync_ok()
    assert (resting(world), group().state) == ([target], "REPLACING")
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.006")


def test_it_fills_wholly_while_it_may_work_on(desk, world, held):
    target = target_of(world)
    world.fill(target, "0.004")
    world.set_price("BTC_USD", target.limit_price * D("0.998") // D("0.01") * D("0.01"))
    desk.sync_ok()
    world.fill(target, "0.006")
    desk.sync_ok()
    assert (group().state, len(ours(world))) == ("CLOSED_BY_TARGET", 2)


def test_a_rest_below_the_minimum_is_left_to_the_target(desk, world, held):
    target = target_of(world)
    world.fill(target, "0.00999")
    desk.sync_ok()
    assert resting(world) == [target]
    world.fill(target, "0.00001")
    desk.sync_ok()
    assert group().state == "CLOSED_BY_TARGET"


def test_it_goes_on_filling_while_we_cancel_it(desk, world, held):
    target = target_of(world)
    world.fill(target, "0.004")
    world.set_behaviour(cancel_delay_ms=30_000)
    desk.sync_ok()
    assert group().state == "REPLACING"
    world.fill(target, "0.002")
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.004")
    check_converged(world)


def test_the_exchange_ends_the_remainder_itself(desk, world, held):
    world.set_behaviour(oco_remainder="canceled")
    world.fill(target_of(world), "0.004")
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.006")
    check_converged(world)


def test_a_stop_that_ends_with_a_remainder_is_followed_by_a_sale_at_once(desk, world, held):
    world.set_liquidity("BTC_USD", "0.004")
    world.move("BTC_USD", -6)
    world.set_liquidity("BTC_USD", None)
    desk.sync_ok()
    assert (group().state, world.balance("BTC")) == ("CLOSED_BY_EXIT", 0)
    assert [order.order_type for order in ours(world)] == ["LIMIT", "STOP_LOSS", "MARKET"] or len(
        ours(world)
    ) == 3
