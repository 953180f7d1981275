"""What the exchange will not take: a stop alone, an alarm that goes on trying, no haste (rules 4 and 7)."""

import pytest
from django.test import Client
from django.utils.translation import override

from oco.models import OcoLeg
from portfolio.alerts.texts import alert_text
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import Alert
from tests.oco.support import check_converged, created, group, ours, resting, stop_of

OCO, STOP = "private/advanced/create-oco", "private/advanced/create-order"


@pytest.fixture
def bought(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")


def test_when_the_pair_is_refused_the_stop_goes_alone_and_says_so(desk, world, bought):
    world.faults.add("refuse", OCO, code=140001)
    desk.sync()
    assert (group().state, resting(world)) == ("ACTIVE", [stop_of(world)])
    assert group().events.filter(code=140001).exists()
    assert group().reason_code == "STOP_CONFIRMED_OPEN"
    desk.sync()
    assert created(desk.requested) == 0


def test_page_api_and_alert_say_what_the_exchange_answered(desk, world, bought):
    world.faults.add("refuse", OCO, code=415)
    world.faults.add("refuse", STOP, code=415)
    for _ in range(3):
        desk.sync()
    found = group()
    assert (found.state, found.reason_code, found.exchange_code) == ("STOP_FAILED", "ORDER_REFUSED", 415)
    row = Client().get(f"/api/oco-groups/{found.pk}/").json()
    assert (row["reason_code"], row["exchange_code"]) == ("ORDER_REFUSED", 415)
    page = Client().get(f"/protection/{found.pk}/").content.decode()
    (lacking,) = load_dashboard().unprotected
    assert lacking.reason.exchange_code == 415
    alert = Alert.objects.get(kind="STOP_FAILED")
    remedy = "Exchange code 415: below minimum order size. Make the order larger"
    for words in (row["reason"], page, alert_text(alert)):
        assert remedy in words
    with override("es"):  # what the request activates ends with the block
        spanish = Client().get(f"/api/oco-groups/{found.pk}/", headers={"accept-language": "es"}).json()
    assert "Código 415 del exchange" in spanish["reason"]


def test_three_cycles_of_refusals_are_an_alarm_and_not_an_end(desk, world, bought):
    world.faults.add("refuse", OCO, code=50007)
    world.faults.add("refuse", STOP, code=50007)
    for state in ("PENDING", "PENDING", "STOP_FAILED", "STOP_FAILED"):
        desk.sync()
        assert group().state == state
        assert created(desk.requested) <= 2
    world.faults.clear()
    desk.sync()
    assert (group().state, group().failures) == ("ACTIVE", 0)
    check_converged(world)


def test_funds_missing_right_after_a_fill_mean_wait(desk, world, bought):
    world.faults.add("refuse", OCO, code=306, times=1)
    world.tick(-55)
    desk.sync(2)
    assert (group().failures, group().state, created(desk.requested)) == (0, "PENDING", 1)
    desk.sync()
    assert group().state == "ACTIVE"


def test_a_leg_that_the_exchange_rejects_is_replaced(desk, world, held):
    world.cancel(stop_of(world))
    leg = OcoLeg.objects.get(order_role="STOP_LOSS")
    assert leg.status == "OPEN"
    desk.sync()
    assert group().state == "RELEASED"


def test_being_asked_to_slow_down_costs_no_failure(desk, world, bought):
    world.faults.add("refuse", OCO, code=42901, times=1)
    desk.sync()
    assert (group().failures, created(desk.requested)) == (0, 1)
    desk.sync()
    assert group().state == "ACTIVE"
    assert len(ours(world)) == 2


def test_a_stop_that_went_alone_becomes_a_pair_again(desk, world, bought):
    world.faults.add("refuse", OCO, code=140001, times=1)
    desk.sync()
    assert (group().state, resting(world)) == ("ACTIVE", [stop_of(world)])
    desk.sync_ok()
    assert created(desk.requested) == 0
    desk.sync_ok()
    assert (group().state, len(resting(world)), created(desk.requested)) == ("ACTIVE", 2, 1)
    check_converged(world)
    desk.sync_ok()
    assert created(desk.requested) == 0


def test_a_pair_that_stays_refused_is_tried_after_waits_that_double(desk, world, bought):
    world.faults.add("refuse", OCO, code=140001)
    tried = []
    for minute in range(17):
        desk.sync()
        assert (group().state, resting(world)) == ("ACTIVE", [stop_of(world)])
        tried += [minute] if created(desk.requested) else []
    assert tried == [0, 2, 4, 8, 16]


def test_a_stop_that_was_too_close_for_a_pair_gets_its_target_when_the_price_leaves_it(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", "-4.8")
    desk.sync_ok()
    assert resting(world) == [stop_of(world)]
    desk.sync_ok()
    assert (created(desk.requested), "public/get-valuations" in desk.requested) == (0, False)
    world.move("BTC_USD", 3)
    desk.sync_ok()
    assert (group().state, len(resting(world))) == ("ACTIVE", 2)
    check_converged(world)


def test_the_alarm_says_what_became_of_the_lone_stop(desk, world, bought):
    world.faults.add("refuse", OCO, code=50007)
    world.faults.add("refuse", STOP, code=50010)
    for _ in range(3):
        desk.sync()
    assert group().state == "STOP_FAILED"
    text = alert_text(Alert.objects.get(kind="STOP_FAILED"))
    assert "placing only the stop" not in text
    assert "50010" in text
