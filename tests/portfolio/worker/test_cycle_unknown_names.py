"""A market or coin that was listed after the catalogue was read: it is read again in the same cycle."""

import pytest

from exchange.models import Instrument, SyncRun
from oco.models import OcoGroup
from portfolio.models import Alert
from tests.support import price_at_ratio

CATALOGUE = "public/get-instruments"


@pytest.fixture
def desk(desk, settings):
    settings.AUTO_PROTECT = True
    desk.sync_ok()
    return desk


def forget(*names):
    """As if they had been listed after the catalogue was read."""
    Instrument.objects.filter(symbol__in=names).delete()


def told():
    return sorted(Alert.objects.filter(kind="INSTRUMENT", ended_at=None).values_list("condition", flat=True))


def hide(world, monkeypatch, coin):
    """The exchange trades the coin, but does not list it."""
    rows = [row for row in world.prices.instruments_rows() if coin not in (row["base_ccy"], row["quote_ccy"])]
    monkeypatch.setattr(type(world.prices), "instruments_rows", lambda self: rows)


def test_a_coin_listed_since_is_protected_in_the_cycle_that_finds_it_bought(desk, world):
    forget("SOL_USD")
    world.buy("SOL_USD", "10")
    run = desk.sync_ok()
    assert desk.requested.count(CATALOGUE) == 1
    assert run.status == SyncRun.Status.OK
    assert list(OcoGroup.objects.values_list("state", flat=True)) == ["ACTIVE"]
    assert told() == []


def test_an_order_or_a_coin_that_is_not_listed_reads_the_catalogue_too(desk, world):
    forget("SOL_USD")
    world.buy("SOL_USD", "1", price_at_ratio(world, "SOL_USD"))
    desk.sync_ok()
    assert CATALOGUE in desk.requested
    world.deposit("DOGE", 1)
    Instrument.objects.filter(base_ccy="DOGE").delete()
    desk.sync_ok()
    assert CATALOGUE in desk.requested
    desk.sync_ok()
    assert CATALOGUE not in desk.requested


def test_while_it_stays_unknown_no_cycle_is_complete_and_an_incident_is_open(desk, world, monkeypatch):
    forget(*Instrument.objects.filter(base_ccy="SOL").values_list("symbol", flat=True))
    with monkeypatch.context() as patch:
        hide(world, patch, "SOL")
        world.buy("SOL_USD", "10")
        for _ in range(30):  # longer than the trade stays in the window of a cycle
            run = desk.sync()
            assert run.status == SyncRun.Status.PARTIAL
            assert any(error.startswith("SOL_USD: ") for error in run.errors)
        assert told() == ["instrument SOL", "instrument SOL_USD"]
        assert Alert.objects.filter(kind="INSTRUMENT").count() == 2
        assert not OcoGroup.objects.exists()
    desk.sync_ok()
    assert list(OcoGroup.objects.values_list("state", flat=True)) == ["ACTIVE"]
    assert told() == []


def test_a_failed_catalogue_stops_no_other_coin(desk, world):
    forget("SOL_USD")
    world.buy("SOL_USD", "10")
    world.buy("BTC_USD", "0.01")
    world.faults.add("http", CATALOGUE, status=500)
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert [group.instrument_name for group in OcoGroup.objects.all()] == ["BTC_USD"]
    assert told() == ["instrument SOL_USD"]
    world.faults.clear()
    desk.sync_ok()
    assert set(OcoGroup.objects.values_list("state", flat=True)) == {"ACTIVE"}
