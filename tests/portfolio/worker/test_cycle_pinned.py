"""Histories that chance found and that once ended with two different records. Each is told as short as it got."""

import pytest

from exchange.models import ExchangeOrder, HistoryGap, Trade
from exchange.schemas import NameSpace
from tests.bookkeeping import differences
from tests.scenario import Scenario, new_world


@pytest.fixture(autouse=True)
def unprotected(settings):
    settings.AUTO_PROTECT = False


@pytest.fixture
def world():
    return new_world()


def trigger(world, kind, **values):
    asked = {"instrument_name": "SOL_USD", "side": "BUY", "type": kind, "quantity": "1", "client_oid": "mine"}
    world.send_manually("private/advanced/create-order", **asked, **values)
    return world.order("mine")


def agree(desk):
    """Whatever history is left is not part of these."""
    desk.sync_ok()
    return [each for each in differences(desk.world.exchange) if not each.startswith("history left")]


def test_a_stop_limit_that_a_hand_makes_a_stop_loss_loses_its_price(desk, world):
    """The answer leaves the price out, and what is left out stays as we knew it (dossier 5.22)."""
    order = trigger(world, "STOP_LIMIT", ref_price="160", price="161")
    desk.sync_ok()
    change = {"new_quantity": "1", "new_price": "0", "new_ref_price": "162"}
    world.send_manually("private/advanced/amend-order", order_id=order.order_id, **change)
    assert agree(desk) == []
    row = ExchangeOrder.objects.get()
    assert (row.order_type, row.price) == ("STOP_LOSS", None)


def test_a_trigger_that_fires_while_the_clock_is_set_back_is_seen_to_have_fired(desk, world):
    """Its last update is then dated before the one we knew."""
    order = trigger(world, "STOP_LIMIT", ref_price="160", price="155")
    world.tick(15)
    change = {"new_quantity": "1", "new_price": "155", "new_ref_price": "159"}
    world.send_manually("private/advanced/amend-order", order_id=order.order_id, **change)
    assert desk.sync(1).errors == []
    world.control("clock", skew_ms=-12_000)
    world.tick(1)
    world.set_price("SOL_USD", "161")
    assert world.order("mine").status == "ACTIVE"
    assert agree(desk) == []


def test_a_status_nobody_knows_is_taken_back_without_an_update(desk, world):
    order = world.buy("SOL_USD", "1", "140")
    rule = world.faults.add("unknown_status", "private/get-open-orders")
    assert "is not believed" in desk.sync().errors[0]
    assert not ExchangeOrder.objects.filter(order_id=order.order_id).exists()
    world.faults.remove(rule)
    assert agree(desk) == []


@pytest.mark.parametrize("rule", ["unique", "increasing"])
def test_two_calls_within_a_millisecond_have_two_nonces(desk, world, rule):
    """Else the second is refused as seen before, and of an order nobody knows whether it was placed (11.7)."""
    world.set_behaviour(nonce_rule=rule)
    client = world.client()
    story = Scenario(world, client, desk.sync)
    story.place("BUY", "LIMIT", "SOL_USD", "1", price="140")
    story.place("BUY", "LIMIT", "SOL_USD", "1", price="141")
    assert len(client.open_orders(NameSpace.PLAIN)) == 2
    assert client.requests == 3
    assert agree(desk) == []


def test_more_than_a_page_in_one_millisecond_of_instruments_nobody_knew_is_said(desk, world):
    """Orders carry no nanosecond of their end: those of a market that the page does not name are not found.

    All fills are, for they have nanoseconds. That something may be missing is on record.
    """
    world.set_behaviour(ack_delay_ms=2000)
    for number in range(182):
        world.buy(
            *(("BTC_USD", "0.001"), ("CRO_USD", "100"), ("ETH_USD", "0.01"), ("SOL_USD", "0.1"))[number % 4]
        )
    desk.sync_ok()
    desk.sync_ok()
    assert Trade.objects.count() == 182
    assert ExchangeOrder.objects.count() < 182
    assert {gap.stream for gap in HistoryGap.objects.all()} == {"ORDERS"}


def test_a_stop_that_was_new_and_then_waits_is_seen_to_wait(desk, world):
    """Both within one millisecond: neither is the later stage."""
    world.set_behaviour(ack_delay_ms=2000, fresh_order="NEW")
    trigger(world, "STOP_LOSS", ref_price="160")
    desk.sync(1)
    assert ExchangeOrder.objects.get().status == "NEW"
    assert agree(desk) == []
    assert ExchangeOrder.objects.get().status == "PENDING"


def test_an_old_answer_is_no_older_than_it_says(desk, world):
    """Nobody read anything for an hour; what was bought meanwhile belongs to an answer of 20 s ago."""
    world.faults.add("stale", "private/get-trades", age_s=20)
    desk.sync(1)
    world.tick(1800)
    world.buy("SOL_USD", "1")
    world.tick(1800)
    desk.sync(1)
    assert Trade.objects.count() == 1


def test_the_plain_face_of_an_old_order_may_pass_unseen(desk, world):
    """Where the window goes by creation: the order itself is found by asking for it."""
    world.set_behaviour(history_window="create", triggered_in_plain="shown")
    trigger(world, "STOP_LOSS", ref_price="160")
    desk.sync_ok()
    world.tick(7200)
    world.set_price("SOL_USD", "161")
    assert agree(desk) == []
    assert ExchangeOrder.objects.get(is_mirror=False).status == "FILLED"


def test_an_old_page_is_full_if_it_was_full(desk, world):
    """What came since does not push the older half of a page out of an answer of then."""
    desk.sync(1)
    for _ in range(90):
        world.buy("SOL_USD", "1")
    world.tick(30)
    for _ in range(60):
        world.buy("SOL_USD", "1")
    world.faults.add("stale", "private/*", age_s=20)
    desk.sync(1)
    assert Trade.objects.count() == 90
