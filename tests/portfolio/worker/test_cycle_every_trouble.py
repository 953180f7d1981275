"""Whatever goes wrong on the line, once it is well again the desk's record is the exchange's own."""

import pytest

from exchange.core.times import NS_PER_DAY
from exchange.models import ExchangeOrder, SyncRun
from exchange.schemas import NameSpace
from exchange.simulator.faults import KINDS
from exchange.sync.backfill import history_slice
from tests.bookkeeping import differences
from tests.scenario import Scenario, new_world
from tests.share import once

TROUBLES = {
    "late": ("delay", {"seconds": 3}),
    "too late": ("delay", {"seconds": 15}),
    "dropped before": ("drop_before", {}),
    "done, then dropped": ("process_then_drop", {}),
    "dropped, then done": ("process_later", {"seconds": 5}),
    "502 html": ("http", {"status": 502, "body": "html"}),
    "503 json": ("http", {"status": 503, "body": "json"}),
    "504 without json": ("http", {"status": 504, "body": "text"}),
    "done, then 502": ("process_then_http", {"status": 502}),
    "42901": ("refuse", {"code": 42901}),
    "40801": ("refuse", {"code": 40801}),
    "done, then 40801": ("process_then_refuse", {"code": 40801}),
    "50001": ("refuse", {"code": 50001}),
    "done, then 50001": ("process_then_refuse", {"code": 50001}),
    "maintenance without id": ("maintenance", {}),
    "garbage": ("garbage", {}),
    "cut short": ("truncate", {}),
    "slow body": ("slow_body", {"seconds": 3}),
    "body too slow": ("slow_body", {"seconds": 15}),
    "a few seconds old": ("stale", {"age_s": 5}),
    "a minute and a half old": ("stale", {"age_s": 90}),
    "order hidden": ("hide_order", {"seconds": 40}),
    "without ids": ("without_ids", {}),
    "306 with ids": ("code_with_ids", {"code": 306}),
    "cancel never done": ("ignore_cancel", {}),
    "empty": ("empty", {}),
    "rows without names": ("missing_fields", {"fields": ["order_id", "trade_id"]}),
    "text for numbers": ("strings", {}),
    "numbers for text": ("numbers", {}),
    "unknown fields": ("unknown_fields", {}),
    "unknown status": ("unknown_status", {}),
    "executed beyond reason": ("lie", {"values": {"cumulative_quantity": "1e59"}}),
    "executed more than ordered": ("lie", {"values": {"cumulative_quantity": "123456789"}}),
    "a price below zero": ("lie", {"values": {"traded_price": "-1"}}),
    "in the future": ("lie", {"values": {"update_time": 9_999_999_999_999}}),
}
# What could be stored, or undone, in another way by another database.
OF_DATABASE = ("done, then dropped", "text for numbers", "executed beyond reason", "in the future")


@pytest.fixture
def world():
    return new_world()


@pytest.fixture(autouse=True)
def young(monkeypatch, settings):
    """The account is a few days old, and what is bought here is not protected."""
    monkeypatch.setattr("exchange.sync.store.RETENTION_NS", 5 * NS_PER_DAY)
    settings.AUTO_PROTECT = False


def caught_up(desk):
    """Two cycles of a healthy line, and what history is left; the market goes on while it is read."""
    desk.world.faults.clear()
    desk.world.tick(120)
    desk.sync_ok()
    assert history_slice(seconds=3600) is True
    desk.sync_ok()


@pytest.mark.parametrize("name", once(TROUBLES, *OF_DATABASE))
def test_after_a_story_full_of_one_trouble_both_records_agree(desk, world, name):
    """Three calls in ten go wrong, by chance, for our orders as for the cycles that watch them."""
    kind, detail = TROUBLES[name]
    world.faults.reseed(len(name))
    world.faults.add(kind, probability=0.3, **detail)
    Scenario(world, world.client(), desk.sync).run()
    assert sum(rule["struck"] for rule in world.faults.rows()) > 10
    caught_up(desk)
    assert differences(world.exchange) == []


@pytest.mark.parametrize("name", once([name for name in TROUBLES if name != "empty"], *OF_DATABASE))
def test_the_trouble_of_every_call_ends_with_the_trouble(desk, world, name):
    """Nothing but this for a whole story: perhaps nothing was heard in all that time, but nothing is lost.

    A history that says for longer than the overlap that nothing happened cannot be told from a true one.
    """
    desk.sync_ok()
    kind, detail = TROUBLES[name]
    rule = world.faults.add(kind, "private/*", **detail)
    Scenario(world, world.client(), desk.sync).run()
    world.faults.remove(rule)
    caught_up(desk)
    assert differences(world.exchange) == []


def test_no_trouble_is_left_out():
    told = {kind for kind, _ in TROUBLES.values()}
    assert told == set(KINDS)


@pytest.mark.parametrize("skew_s", [-50, 50, 3600])
def test_a_clock_that_goes_wrong_in_the_middle(desk, world, skew_s):
    """Within the minute everything is read; an hour off, nothing is, and all of it afterwards.

    What an exchange stamps an hour back before it sets its own clock right is beyond any reading.
    """
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    world.control("clock", skew_ms=skew_s * 1000)
    world.buy("BTC_USD", "0.02")
    run = desk.sync()
    assert run.status == (SyncRun.Status.OK if abs(skew_s) < 60 else SyncRun.Status.FAILED)
    world.buy("BTC_USD", "0.03")
    world.control("clock", skew_ms=0)
    world.tick(max(skew_s, 0))
    caught_up(desk)
    assert differences(world.exchange) == []


def test_a_cancel_that_is_never_done_leaves_the_order_open(desk, world):
    order = world.buy("BTC_USD", "0.01", "50000")
    world.faults.add("ignore_cancel")
    client = world.client()
    assert client.order_cancel(NameSpace.PLAIN, order_id=order.order_id).code == 0
    desk.sync_ok()
    assert ExchangeOrder.objects.get(order_id=order.order_id).status == "ACTIVE"
    caught_up(desk)
    assert differences(world.exchange) == []
