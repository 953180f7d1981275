"""The mark price is asked for while the balance is read, by a thread of its own (rule 3)."""

import pytest

from exchange.client.client import BackgroundReads, PublicClient
from oco.models import OcoGroup
from tests.exchange.simulator.world import URL

pytestmark = pytest.mark.any_database

MARK, BALANCE = "public/get-valuations", "private/user-balance"


@pytest.fixture
def two_lines(desk, world):
    """As in earnest: public reads go on beside."""
    build = desk.client

    def client(**options):
        found = build(**options)
        found.background_reads = BackgroundReads(
            PublicClient(URL, "", "", session=world.session(), now_ms=world.now_ms)
        )
        return found

    desk.client = client
    return desk


@pytest.fixture
def desk(desk, monkeypatch):
    from tests.support import CLIENT_FACTORIES

    for name in CLIENT_FACTORIES:
        monkeypatch.setattr(name, lambda **options: desk.client(**options))
    return desk


def test_a_buy_is_covered_with_a_price_that_was_asked_for_ahead(two_lines, world):
    two_lines.sync_ok()
    world.buy("BTC_USD", "0.01")
    run = two_lines.sync_ok()
    assert OcoGroup.objects.get().state == "ACTIVE"
    assert two_lines.requested.index(MARK) < two_lines.requested.index(BALANCE)
    assert (two_lines.requested.count(MARK), run.requests) == (1, 10)


def test_a_quiet_cycle_asks_for_none(two_lines, world):
    two_lines.sync_ok()
    world.buy("BTC_USD", "0.01")
    two_lines.sync_ok()
    assert two_lines.sync_ok().requests == 7


def test_what_needs_no_protection_is_not_asked_for(two_lines, world, settings):
    two_lines.sync_ok()
    world.buy("USDT_USD", "10")
    assert two_lines.sync_ok().requests == 7
    settings.AUTO_PROTECT = False
    world.buy("BTC_USD", "0.01")
    assert two_lines.sync_ok().requests == 7


def test_a_price_that_grew_old_meanwhile_is_asked_for_again(desk, world):
    """Found without a thread: the balance takes 6 s, so that the question is too old to be used (rule 3)."""
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    world.faults.add("delay", BALANCE, seconds=6, times=1)
    desk.sync_ok()
    assert OcoGroup.objects.get().state == "ACTIVE"
    assert desk.requested.index(MARK) > desk.requested.index(BALANCE)


def test_when_it_cannot_be_read_ahead_the_last_trade_is_the_price(two_lines, world):
    two_lines.sync_ok()
    world.buy("BTC_USD", "0.01")
    world.faults.add("refuse", MARK, code=40003, times=1)
    run = two_lines.sync()
    assert OcoGroup.objects.get().state == "ACTIVE"
    assert [error.split(":")[0] for error in run.errors] == ["Mark price of BTC_USD"]
