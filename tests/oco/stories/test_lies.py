"""What the exchange says once, and is not true: nothing is closed on it, and what was, is opened again."""

from decimal import Decimal

import pytest

from exchange.models import SyncRun, UnreadableRow
from oco.models import Lot, OcoEvent
from portfolio.alerts.texts import alert_title
from portfolio.models import Alert
from tests.oco.support import check, check_converged, created, group, resting, stop_of, target_of
from tests.support import stored_order

D = Decimal
EXECUTED = {"cumulative_quantity": "0.01", "cumulative_value": "600", "avg_price": "60000"}
FILLED = {**EXECUTED, "status": "FILLED"}
CANCELED = {"status": "CANCELED"}
OPEN_LIST, DETAIL = "private/advanced/get-open-orders", "private/advanced/get-order-detail"


def tell(world, order, values, method="*", **rule):
    """The next answers say something else of `order`."""
    return world.faults.add("lie", method, values=values, where={"order_id": order.order_id}, **rule)


@pytest.mark.parametrize("executed", ["0.1", "-0.01", "1e28", "1e59", "1e-59", "NaN"])
def test_an_impossible_quantity_changes_nothing_and_is_told(desk, world, held, executed):
    stop = stop_of(world)
    tell(world, stop, {"cumulative_quantity": executed, "status": "FILLED"})
    run = desk.sync()
    assert run.status == SyncRun.Status.PARTIAL
    assert any("is not believed" in text for text in run.errors)
    assert UnreadableRow.objects.filter(row_id=stop.order_id, raw__contains=executed).exists()
    assert (group().closed_at, Lot.objects.get().sold) == (None, 0)
    assert len(resting(world)) == 2
    world.faults.clear()
    desk.sync_ok()
    assert group().state == "ACTIVE"
    check_converged(world)


@pytest.mark.parametrize("values", [FILLED, EXECUTED, CANCELED], ids=["filled", "in part", "cancelled"])
@pytest.mark.parametrize("which", [stop_of, target_of])
@pytest.mark.parametrize("is_listed", [True, False])
def test_one_untrue_answer_closes_nothing(desk, world, held, is_listed, which, values):
    order = which(world)
    if is_listed:
        tell(world, order, values, OPEN_LIST, times=1)
    else:
        world.faults.add("empty", OPEN_LIST, times=1)
        tell(world, order, values, DETAIL, times=1)
    desk.sync()
    assert (Lot.objects.get().sold, created(desk.requested)) == (0, 0)
    assert len(resting(world)) == 2
    world.faults.clear()
    for _ in range(3):
        desk.sync_ok()
    assert (group().state, Lot.objects.get().sold) == ("ACTIVE", 0)
    assert (stored_order(order).is_open, stored_order(order).filled_quantity) == (True, 0)
    check_converged(world)


@pytest.mark.parametrize("which", [stop_of, target_of])
def test_what_was_closed_on_answers_that_agreed_is_opened_again(desk, world, held, which):
    order = which(world)
    tell(world, order, FILLED)
    desk.unchecked()
    desk.unchecked()
    assert group().state.startswith("CLOSED")
    world.faults.clear()
    for _ in range(5):
        desk.unchecked()
    assert (group().state, group().closed_at, Lot.objects.get().sold) == ("ACTIVE", None, 0)
    assert stored_order(order).filled_quantity == 0
    assert "not sold, protected again" in [alert_title(alert)[9:] for alert in Alert.objects.all()]
    check(world)
    check_converged(world)


def miss_coins(world, quantity, times=2):
    """The next balances show other coins than there are."""
    where, values = {"instrument_name": "BTC"}, {"quantity": quantity}
    world.faults.add("lie", "private/user-balance", values=values, where=where, times=times)


@pytest.mark.parametrize("quantity", ["0", "0.004", "0.00995"])
def test_coins_that_untrue_balances_did_not_show_are_protected_again(desk, world, held, quantity):
    miss_coins(world, quantity, times=3)
    for _ in range(3):
        desk.unchecked()
    assert Lot.objects.get().owned < D("0.01")
    for _ in range(3):
        desk.sync_ok()
    lot = Lot.objects.get()
    assert (group().state, lot.owned, lot.gone, lot.written_off) == ("ACTIVE", D("0.01"), 0, 0)
    assert {order.quantity for order in resting(world)} == {D("0.01")}
    assert "COINS_RETURNED" in OcoEvent.objects.values_list("reason_code", flat=True)
    closed = OcoEvent.objects.filter(new="CLOSED_BY_HAND").exists()
    assert closed == (
        "not sold, protected again" in [alert_title(alert)[9:] for alert in Alert.objects.all()]
    )
    check_converged(world)


def test_coins_that_a_person_sold_and_later_deposited_are_his(desk, world, held):
    world.cancel(target_of(world))  # and with it the stop
    world.sell("BTC_USD", "0.01")
    for _ in range(4):
        desk.sync()
    assert group().state == "CLOSED_BY_HAND"
    world.deposit("BTC", "0.01")
    for _ in range(3):
        desk.sync()
    assert (group().state, resting(world)) == ("CLOSED_BY_HAND", [])


@pytest.mark.parametrize(("hours", "state"), [(1, "ACTIVE"), (25, "CLOSED_BY_HAND")])
def test_coins_moved_out_and_back_are_protected_again_within_a_day(desk, world, held, hours, state):
    world.withdraw("BTC", "0.01", force=True)
    for _ in range(4):
        desk.unchecked()
    assert group().state == "CLOSED_BY_HAND"
    desk.sync(hours * 3600)
    world.deposit("BTC", "0.01")
    for _ in range(3):
        desk.sync()
    assert group().state == state


def test_fewer_coins_than_were_written_off_stay_what_they_are(desk, world, held):
    world.withdraw("BTC", "0.01", force=True)
    for _ in range(4):
        desk.unchecked()
    world.deposit("BTC", "0.009")
    for _ in range(3):
        desk.sync()
    assert (group().state, resting(world)) == ("CLOSED_BY_HAND", [])


def test_what_a_person_released_stays_released(desk, world, held):
    miss_coins(world, "0.004")
    desk.unchecked()
    desk.unchecked()
    world.cancel(target_of(world))  # and with it the stop
    for _ in range(4):
        desk.sync()
    assert (group().state, resting(world)) == ("RELEASED", [])
