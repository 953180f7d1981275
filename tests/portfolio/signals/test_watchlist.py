"""What may be on the watchlist, and what a new desk begins with."""

from datetime import UTC, datetime

import pytest

from portfolio.models import WatchlistItem
from portfolio.signals.watchlist import (
    DEFAULT_SYMBOLS,
    MAX_ITEMS,
    InvalidWatchlistItem,
    watchlist_add,
    watchlist_create_default,
)
from tests.factories import InstrumentFactory, SyncRunFactory, WatchFactory

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def add(name, **more):
    return watchlist_add(instrument_name=name, now=NOON, **more)


@pytest.mark.parametrize("written", ["BTC_USD", "btc_usd", " BTC/USD ", "btc-usd"])
def test_a_pair_may_be_written_as_people_write_it(written):
    InstrumentFactory()
    item, is_new = add(written)
    assert (item.instrument_name, is_new) == ("BTC_USD", True)


@pytest.mark.parametrize("change", [{"tradable": False}, {"inst_type": "PERPETUAL_SWAP"}])
def test_only_spot_pairs_that_can_be_traded(change):
    InstrumentFactory(symbol="ETH_USD")
    InstrumentFactory(**change)
    with pytest.raises(InvalidWatchlistItem, match="BTC_USD is not a spot pair tradable on the exchange"):
        add("BTC_USD")


def test_before_the_catalogue_was_read_it_is_said_that_this_is_why():
    with pytest.raises(InvalidWatchlistItem, match="instrument list of the exchange has not been read yet"):
        add("BTC_USD")


@pytest.mark.parametrize("written", ["", "\0", "BTC_USD\0", "x" * 500])
def test_no_text_is_too_odd(written):
    InstrumentFactory()
    with pytest.raises(InvalidWatchlistItem):
        add(written)


def test_the_list_has_an_end():
    for n in range(MAX_ITEMS):
        WatchFactory(instrument_name=f"C{n}_USD")
    InstrumentFactory()
    with pytest.raises(InvalidWatchlistItem, match="full"):
        add("BTC_USD")


def test_a_new_one_comes_last():
    InstrumentFactory()
    WatchFactory(instrument_name="ETH_USD", position=41)
    assert add("BTC_USD")[0].position == 42


def test_a_new_desk_begins_with_four_and_only_once():
    assert watchlist_create_default(now=NOON) == list(DEFAULT_SYMBOLS)
    WatchlistItem.objects.all().delete()
    SyncRunFactory()
    assert watchlist_create_default(now=NOON) == []
    assert not WatchlistItem.objects.exists()


def test_a_list_that_somebody_made_is_left_alone():
    WatchFactory()
    assert watchlist_create_default(now=NOON) == []


def test_those_four_can_be_traded_on_the_exchange(world):
    known = {row.symbol for row in world.client().instruments() if row.tradable}
    assert set(DEFAULT_SYMBOLS) <= known
