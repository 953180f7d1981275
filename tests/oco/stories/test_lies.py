"""What the exchange says once, and is not true: nothing is closed on it, and what was, is opened again."""

from decimal import Decimal

import pytest

from exchange.models import SyncRun, UnreadableRow
from oco.models import Lot
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
