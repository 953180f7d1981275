"""What is too small for an order waits, says so, joins the next lot, and is protected once it is enough together."""

from decimal import Decimal

import pytest

from oco.models import Lot, LotTrade, OcoGroup, ProtectionPolicy
from oco.policies import policy_for
from oco.services.kill_switch import resume_trading, stop_trading
from portfolio.dashboard.selectors import load_dashboard
from tests.oco.support import check_converged, resting

D = Decimal
TICK = D("0.00001")


def stops(world, name="BTC_USD"):
    return [
        order for order in resting(world) if order.order_type == "STOP_LOSS" and order.instrument_name == name
    ]


def covered(world, name="BTC_USD"):
    return sum((order.remaining for order in stops(world, name)), D(0))


def owned(coin="BTC"):
    """By all lots, those that wait for the next purchase included."""
    return sum((lot.owned for lot in Lot.objects.filter(base_ccy=coin)), D(0))


def buy_often(desk, world, times=12, quantity="0.0002", name="BTC_USD", **options):
    for _ in range(times):
        world.buy(name, quantity, **options)
        desk.sync_ok()


@pytest.fixture
def started(desk, world):
    world.set_price("BTC_USD", "60000")
    desk.sync_ok()


def test_what_twelve_fees_leave_is_protected(desk, world, started):
    buy_often(desk, world)
    held = world.balance("BTC")
    assert held == D("0.00238836")
    assert held - covered(world) < TICK
    assert owned() == held
    assert Lot.objects.filter(closed_at=None).count() == 12
    check_converged(world)
    desk.requested.clear()
    desk.sync_ok()
    assert not [method for method in desk.requested if "create-" in method or "cancel-" in method]


def test_a_purchase_keeps_its_stop_when_older_coins_join_it(desk, world, started):
    buy_often(desk, world, times=1)
    world.set_price("BTC_USD", "80000")
    buy_often(desk, world, times=1)
    newest = OcoGroup.objects.order_by("-created_at").first()
    assert (newest.entry_price, newest.lot.bought) == (D("80000.80"), D("0.00020806"))
    assert (newest.quantity, newest.stop_price) == (D("0.0002"), D("76000.76"))
    assert "RESTS_JOINED" in newest.events.values_list("reason_code", flat=True)


@pytest.mark.parametrize("currency", ["USD", "USDT"])
def test_without_a_fee_in_the_coin_nothing_remains(desk, world, started, currency):
    world.deposit("USDT", 1000)
    buy_often(desk, world, times=3, fee_instrument_name=currency)
    assert covered(world) == world.balance("BTC") == D("0.0006")


def test_dust_of_one_instrument_never_joins_another(desk, world, started):
    buy_often(desk, world, times=1)
    world.deposit("USDT", 100)
    buy_often(desk, world, times=1, name="BTC_USDT")
    assert sorted(Lot.objects.values_list("instrument_name", "bought")) == [
        ("BTC_USD", D("0.00019903")),
        ("BTC_USDT", D("0.00019903")),
    ]


def test_dust_joins_under_the_policy_of_the_next_purchase(desk, world, started):
    buy_often(desk, world, times=1)

    ProtectionPolicy.objects.create(instrument_name="BTC_USD", stop_pct=D(20), target_pct=None)
    buy_often(desk, world, times=1)
    assert world.balance("BTC") - covered(world) < TICK
    assert min(order.ref_price for order in stops(world)) < 48_010


def test_purchases_that_are_too_small_alone_are_protected_together(desk, world, started):
    order = world.buy("BTC_USD", "0.0004", world.price("BTC_USD") - 100)
    other = world.buy("BTC_USD", "0.0004", world.price("BTC_USD") - 100)
    world.fill(order, "0.00002")
    desk.sync_ok()
    assert Lot.objects.count() == 0
    world.fill(other, "0.00002")
    desk.sync_ok()
    assert (Lot.objects.get().trades.count(), covered(world)) == (2, D("0.00003"))
    check_converged(world)


def test_purchases_below_the_minimum_of_the_policy_add_up(desk, world, started):
    policy = policy_for("BTC_USD")
    policy.minimum_value_usd = D(100)
    policy.save()
    buy_often(desk, world, times=8, quantity="0.0002")
    assert Lot.objects.count() == 0
    buy_often(desk, world, times=1, quantity="0.0002")
    assert Lot.objects.get().trades.count() == LotTrade.objects.count() == 9
    assert world.balance("BTC") - covered(world) < TICK
    check_converged(world)


def test_what_a_target_leaves_in_part_joins_the_next_purchase(desk, world, started):
    buy_often(desk, world, times=1)
    price = Lot.objects.get().groups.get().take_profit_price
    world.set_price("BTC_USD", price)
    desk.sync_ok()
    desk.sync_ok()
    rest = Lot.objects.get()
    assert (rest.closed_at is not None, rest.waits, rest.owned) == (True, True, world.balance("BTC"))
    world.set_price("BTC_USD", "60000")
    buy_often(desk, world, times=1)
    assert Lot.objects.get(closed_at=None).bought == world.balance("BTC") == D("0.00020806")
    assert not Lot.objects.filter(waits=True).exists()
    check_converged(world)


def test_rests_of_closed_lots_become_a_lot_when_they_are_enough(desk, world, started):
    for _ in range(3):
        buy_often(desk, world, times=1, quantity="0.00021")
        world.set_price("BTC_USD", OcoGroup.objects.get(closed_at=None).take_profit_price)
        desk.sync_ok()
        desk.sync_ok()
        world.set_price("BTC_USD", "60000")
    desk.sync_ok()
    left = world.balance("BTC")
    assert (owned(), left - covered(world) < 2 * TICK) == (left, True)


def test_dust_that_was_sold_by_hand_is_not_taken(desk, world, started):
    buy_often(desk, world, times=1)
    world.withdraw("BTC", D("0.000009"))
    desk.sync_ok()
    buy_often(desk, world, times=1)
    assert Lot.objects.order_by("pk").last().bought == D("0.00019903")
    assert sum(stop.remaining for stop in stops(world)) <= world.balance("BTC")
    check_converged(world)


def test_what_waited_and_left_the_account_is_written_off(desk, world, started):
    buy_often(desk, world, times=1)
    world.set_price("BTC_USD", OcoGroup.objects.get().take_profit_price)
    desk.sync_ok()
    desk.sync_ok()
    world.set_price("BTC_USD", "60000")
    world.withdraw("BTC", world.balance("BTC"))
    for _ in range(3):
        desk.sync_ok()
    assert (owned(), Lot.objects.filter(waits=True).exists()) == (0, False)
    world.deposit("BTC", "0.5")
    buy_often(desk, world, times=1)
    assert owned() == D("0.00019903")


def test_coins_that_another_order_reserves_do_not_join(desk, world, started):
    buy_often(desk, world, times=1)
    world.set_price("BTC_USD", OcoGroup.objects.get().take_profit_price)
    desk.sync_ok()
    desk.sync_ok()
    world.set_price("BTC_USD", "60000")
    world.deposit("BTC", "0.00001097")
    world.sell("BTC_USD", "0.00002", "70000")
    buy_often(desk, world, times=1)
    assert Lot.objects.get(closed_at=None).bought == D("0.00019903")
    check_converged(world)


def test_the_kill_switch_holds_for_dust(desk, world, started):
    buy_often(desk, world, times=1)
    stop_trading(changed_by="alice", now=desk.now)
    world.buy("BTC_USD", "0.0002")
    desk.sync_ok()
    assert len(stops(world)) == 1
    resume_trading(changed_by="alice", now=desk.now)
    desk.sync_ok()
    assert world.balance("BTC") - covered(world) < TICK


def test_what_waits_is_told_on_the_page_in_the_state_and_in_the_admin(
    desk, world, started, client, admin_client
):
    buy_often(desk, world, times=1)
    said = client.get("/api/dashboard/state").json()
    assert said["unprotected"] == []
    (part,) = [row["too_small"] for row in said["portfolio"] if row["too_small"]]
    assert (part["quantity"], part["reason_code"]) == ("0.00000903", "TOO_SMALL_ALONE")
    assert part["reason"] == (
        "Too small to protect alone: 0.00000903 BTC worth 0.54 USD. It joins the next purchase that is protected."
    )
    page = client.get("/").content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert part["reason"] in page
    page = admin_client.get("/admin/oco/lot/?state=waits").content.decode()
    assert "0 lots" in page  # the coins wait in the open lot


def test_a_small_purchase_does_not_make_the_origin_of_other_coins_unknown(desk, world):
    world.set_price("BTC_USD", "60000")
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.0004", world.price("BTC_USD") - 100)
    world.fill(order, "0.00001")
    desk.sync_ok()
    found = load_dashboard()
    assert [row.reason.code for row in found.unprotected] == ["HELD_BEFORE_START"]
    assert [row.too_small.reason.code for row in found.portfolio if row.too_small] == ["TOO_SMALL_ALONE"]


def test_purchases_below_the_minimum_of_the_policy_say_so(desk, world, started):
    policy = policy_for("BTC_USD")
    policy.minimum_value_usd = D(100)
    policy.save()
    buy_often(desk, world, times=2)
    (part,) = load_dashboard().unprotected
    assert (part.quantity, part.reason.code) == (world.balance("BTC"), "BELOW_POLICY_MINIMUM")
