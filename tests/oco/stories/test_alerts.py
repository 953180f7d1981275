"""The person is told, once per occasion (rule 14, invariant No silent nakedness)."""

from decimal import Decimal

from oco.models import OcoEvent, OcoGroup, OcoLeg
from oco.selectors import group_rows
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from tests.oco.support import created, stop_of, target_of

D = Decimal


def told():
    return [alert.kind for alert in Alert.objects.order_by("id")]


def test_a_good_life_is_silent(desk, world, held):
    desk.sync_ok()
    assert told() == []
    assert not OcoEvent.objects.filter(told=False).exists()


def test_an_end_is_told_once(desk, world, held):
    world.move("BTC_USD", -6)
    desk.sync_ok()
    desk.sync_ok()
    assert told() == ["CLOSED"]
    alert = Alert.objects.get()
    assert alert_title(alert).startswith("BTC/USD: stop hit, −$")
    assert "BTC sold at " in alert_text(alert)
    assert "from the entry at " in alert_text(alert)
    assert alert.correlation_id


def test_a_stop_that_somebody_moves_on_the_exchange_is_told_and_counts_where_it_rests(desk, world, held):
    stop = stop_of(world)
    planned, moved = stop.ref_price, world.price("BTC_USD") * D("0.8") // 1
    world.send_manually(
        "private/advanced/amend-order",
        order_id=stop.order_id,
        new_quantity=str(stop.quantity),
        new_ref_price=str(moved),
        new_price=0,
    )
    desk.sync_ok()
    desk.sync_ok()
    assert told() == ["MOVED"]
    alert, row = Alert.objects.get(), group_rows(OcoGroup.objects.all())[0]
    assert f"moved on the exchange from {planned:,} to {moved:,.2f}" in alert_text(alert)
    assert (row.stop_price, row.state, created(desk.requested)) == (moved, "ACTIVE", 0)


def test_a_sale_at_the_market_is_one_message_with_its_result(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -7)
    desk.sync_ok()
    assert told() == ["EXIT"]
    alert = Alert.objects.get()
    assert alert_title(alert).startswith("BTC/USD: sold at market, −$")
    assert alert_text(alert).startswith("0.01000 BTC sold at ")
    assert "from the entry at " in alert_text(alert)


def test_a_lot_without_a_stop_is_told_after_two_cycles(desk, world):
    desk.sync_ok()
    world.faults.add("refuse", "private/advanced/create-*", code=208)
    world.buy("BTC_USD", "0.01")
    desk.sync()
    desk.sync()
    assert told() == []
    desk.sync()
    desk.sync()
    assert sorted(told()) == ["STOP_FAILED", "UNPROTECTED"]


def test_it_is_told_how_much_worth_what_since_when_and_why(desk, world):
    desk.sync_ok()
    world.faults.add("refuse", "private/advanced/create-*", code=208)
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    for _ in range(4):
        desk.sync()
    alert, group = Alert.objects.get(kind="UNPROTECTED"), OcoGroup.objects.get()
    assert alert_title(alert).startswith("BTC/USD: 0.01")
    worth = f"worth ${D('0.01') * world.price('BTC_USD'):,.2f}"
    since = f"since {group.uncovered_since:%Y-%m-%d %H:%M:%S}"
    assert all(words in alert_text(alert) for words in ("0.01", worth, since, "Exchange code 208"))


def test_also_while_the_exchange_is_away(desk, world):
    desk.sync_ok()
    world.faults.add("refuse", "private/advanced/create-*", code=208)
    world.buy("BTC_USD", "0.01")
    desk.sync()
    world.faults.add("http", "*", status=502)
    for _ in range(3):
        desk.sync()
    assert told() == ["UNPROTECTED"]


def test_released_is_told(desk, world, held):
    world.cancel(target_of(world))
    desk.sync_ok()
    assert told() == ["RELEASED"]


def test_books_that_do_not_add_up_are_told(desk, world, held):
    OcoLeg.objects.filter(client_oid=stop_of(world).client_oid).update(executed=D("0.001"))
    desk.unchecked()
    assert "INVARIANT" in told()


def test_a_stop_amended_by_hand_to_cover_less_is_replaced(desk, world, held):
    stop = stop_of(world)
    world.send_manually(
        "private/advanced/amend-order",
        order_id=stop.order_id,
        new_quantity="0.004",
        new_price="0",
        new_ref_price=str(stop.ref_price),
    )
    desk.sync()
    assert stop_of(world).quantity == D("0.01")


def test_a_part_behind_another_order_is_told_after_two_cycles_and_so_is_its_end(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    foreign = world.sell("BTC_USD", "0.004", world.price("BTC_USD") * 2)
    desk.sync_ok()
    assert (OcoGroup.objects.get().state, told()) == ("ACTIVE", [])
    for _ in range(3):
        desk.sync_ok()
    alert = Alert.objects.get()
    assert (alert.kind, alert_title(alert)) == ("UNPROTECTED", "BTC/USD: 0.00400 without a stop")
    assert "reserved by another order" in alert_text(alert)
    world.cancel(foreign)
    desk.sync_ok()
    desk.sync_ok()
    alert.refresh_from_db()
    assert alert.ended_at is not None
