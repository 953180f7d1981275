"""Whatever the exchange turns out to be like (dossier 11), the desk's record ends as the exchange's own."""

from collections import Counter
from itertools import chain

import pytest

from exchange.core.times import NS_PER_DAY
from exchange.simulator.config import CHOICES, BehaviourOptions
from exchange.sync.backfill import history_slice
from tests.bookkeeping import differences
from tests.scenario import Scenario, new_world
from tests.share import once

OF_HISTORY = ("history_window", "history_widest", "trades_widest", "tie_order", "ns_resolution")
EVERY = [(name, value) for name, values in CHOICES.items() for value in values]
USUAL = BehaviourOptions().as_dict()
UNUSUAL = [one for one in EVERY if one[1] != USUAL[one[0]]]
HISTORIES = [one for one in EVERY if one[0] in OF_HISTORY]

EVERYTHING = {
    *(("plain", "LIMIT", status) for status in ("ACTIVE", "FILLED", "CANCELED", "REJECTED")),
    *(("plain", "MARKET", status) for status in ("FILLED", "CANCELED")),
    *(("advanced", "LIMIT", status) for status in ("ACTIVE", "FILLED", "CANCELED")),
    *(("advanced", "STOP_LOSS", status) for status in ("PENDING", "FILLED", "CANCELED")),
    ("advanced", "STOP_LIMIT", "FILLED"),
}


STORIES = 16
# Unusual values of several settings in one story; in `make soak` each has a story of its own.
TOGETHER = [UNUSUAL[number::STORIES] for number in range(STORIES)]


@pytest.fixture
def world(request):
    return new_world(**dict(request.param))


@pytest.fixture(autouse=True)
def young(monkeypatch, settings):
    """The account is a few days old: its history is short. What is bought here is not protected."""
    monkeypatch.setattr("exchange.sync.store.RETENTION_NS", 5 * NS_PER_DAY)
    settings.AUTO_PROTECT = False


def names(some):
    return ",".join(f"{name}={value}" for name, value in some)


def caught_up(desk):
    desk.sync_ok()
    assert history_slice(seconds=3600) is True
    desk.sync_ok()


def test_no_value_is_left_out_and_no_setting_has_two_in_one_story():
    assert sorted(chain(*TOGETHER), key=str) == sorted(UNUSUAL, key=str)
    assert all(len(dict(some)) == len(some) for some in TOGETHER)


def test_the_first_value_of_every_setting_is_its_default():
    assert {name: values[0] for name, values in CHOICES.items()} == USUAL


@pytest.mark.parametrize("world", [EVERY[:1]], indirect=True)
def test_in_the_usual_story_everything_happens(desk, world):
    """Else the tests below would prove nothing."""
    story = Scenario(world, world.client(), desk.sync)
    story.run()
    assert story.rejected == {"refused_orders": 140001}
    kinds = {(order.name_space, order.order_type, order.status) for order in world.exchange.all_orders()}
    assert kinds >= EVERYTHING
    assert {order.reason for order in world.exchange.all_orders()} == {0, 306, 315, 415, 43003, 43004, 43005}
    parts = Counter(trade.order_id for trade in world.exchange.trades.rows)
    assert max(parts.values()) == 2


@pytest.mark.parametrize(
    "world",
    [
        EVERY[:1],
        *(pytest.param(some, marks=pytest.mark.any_database) for some in TOGETHER),
        *(pytest.param([one], marks=[pytest.mark.any_database, pytest.mark.soak]) for one in UNUSUAL),
    ],
    indirect=True,
    ids=names,
)
def test_after_the_story_both_records_agree(desk, world):
    """With a cycle whenever something of it is half done. The first value of every setting is told once, together."""
    desk.sync_ok()
    Scenario(world, world.client(), desk.sync).run()
    caught_up(desk)
    assert differences(world.exchange) == []


@pytest.mark.parametrize(
    "world", once([[one] for one in HISTORIES], [HISTORIES[0]]), indirect=True, ids=names
)
@pytest.mark.parametrize("pause_s", [0, 3 * 86_400])
def test_after_a_story_nobody_watched_both_records_agree(desk, world, pause_s):
    """One cycle before it, and then two at the end, at once or three days later."""
    desk.sync_ok()
    Scenario(world, world.client(), lambda: None).run()
    world.tick(pause_s)
    caught_up(desk)
    assert differences(world.exchange) == []
