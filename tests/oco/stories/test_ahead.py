"""The mark price is asked for while the balance is read, by a thread of its own (rule 3)."""

import pytest

from exchange.client.client import Beside, PublicCalls
from oco.models import OcoGroup
from tests.exchange.simulator.world import URL

MARK, BALANCE = "public/get-valuations", "private/user-balance"


@pytest.fixture
def two_lines(desk, world):
    """As in earnest: public reads go on beside."""
    build = desk.client

    def client(**options):
        found = build(**options)
        found.beside = Beside(PublicCalls(URL, "", "", session=world.session(), now_ms=world.now_ms))
        return found

    desk.client = client
    return desk


@pytest.fixture
def desk(desk, monkeypatch):
    from tests.support import BUILDERS

    for name in BUILDERS:
        monkeypatch.setattr(name, lambda **options: desk.client(**options))
    return desk


def test_a_buy_is_covered_with_a_price_that_was_asked_for_ahead(two_lines, world):
    two_lines.quiet()
    world.buy("BTC_USD", "0.01")
    run = two_lines.quiet()
    assert OcoGroup.objects.get().state == "ACTIVE"
    assert two_lines.asked.index(MARK) < two_lines.asked.index(BALANCE)
    assert (two_lines.asked.count(MARK), run.requests) == (1, 10)


def test_a_quiet_cycle_asks_for_none(two_lines, world):
    two_lines.quiet()
    world.buy("BTC_USD", "0.01")
    two_lines.quiet()
    assert two_lines.quiet().requests == 7


def test_what_needs_no_protection_is_not_asked_for(two_lines, world, settings):
    two_lines.quiet()
    world.buy("USDT_USD", "10")
    assert two_lines.quiet().requests == 7
    settings.AUTO_PROTECT = False
    world.buy("BTC_USD", "0.01")
    assert two_lines.quiet().requests == 7


def test_a_price_that_grew_old_meanwhile_is_asked_for_again(desk, world):
    """Found without a thread: the balance takes 6 s, so that the question is too old to be used (rule 3)."""
    desk.quiet()
    world.buy("BTC_USD", "0.01")
    world.faults.add("delay", BALANCE, seconds=6, times=1)
    desk.quiet()
    assert OcoGroup.objects.get().state == "ACTIVE"
    assert desk.asked.index(MARK) > desk.asked.index(BALANCE)


def test_when_it_cannot_be_read_ahead_the_cycle_waits_for_the_next(two_lines, world):
    two_lines.quiet()
    world.buy("BTC_USD", "0.01")
    world.faults.add("refuse", MARK, code=40003, times=1)
    two_lines.sync()
    assert OcoGroup.objects.get().state == "PENDING"
    two_lines.quiet()
    assert OcoGroup.objects.get().state == "ACTIVE"
