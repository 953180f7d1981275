"""The dashboard's watchlist and signals: the page and the API tell the same, in as many queries however many."""

from decimal import Decimal

import pytest
from django.test import Client

from portfolio.models import Signal, WatchlistItem
from tests.factories import (
    CandleFactory,
    InstrumentFactory,
    QuoteFactory,
    SignalFactory,
    SyncRunFactory,
    WatchFactory,
)
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def desk(settings):
    settings.DASHBOARD_PUBLIC = "true"
    InstrumentFactory()
    SyncRunFactory()


def both():
    client = Client()
    return Page(client.get("/").content.decode()), client.get("/api/dashboard/state").json()


def test_the_same_watchlist():
    WatchFactory(note="soon")
    WatchFactory(instrument_name="ETH_USD")
    WatchFactory(instrument_name="SOL_USD")
    QuoteFactory(price=Decimal("60123.40"))
    QuoteFactory(instrument_name="ETH_USD", change_24h=None)
    CandleFactory()
    page, api = both()
    assert [(row.key, row.values) for row in page.tables["watchlist"]] == [
        (row["instrument_name"], [row[name] for name in ("price", "change_24h_pct") if row[name] is not None])
        for row in api["watchlist"]
    ]
    assert [row["price"] for row in api["watchlist"]] == ["60123.40", "60000.00", None]
    assert set(api["watchlist"][0]) == {"instrument_name", "price", "price_at", "change_24h_pct", "note"}


def test_the_same_signals():
    SignalFactory()
    SignalFactory(timeframe="4h", action="SELL", score=50)
    SignalFactory(timeframe="1D", action="", score=None)
    page, api = both()
    assert [(row.key, row.status, row.values) for row in page.tables["signals"]] == [
        (f"{row['instrument_name']} {row['timeframe']}", row["action"], [str(row["score"])])
        for row in api["signals"]
    ]
    assert [row["action"] for row in api["signals"]] == ["BUY", "SELL"]
    assert set(api["signals"][0]) == {
        *(
            "instrument_name",
            "timeframe",
            "action",
            "score",
            "reason",
            "inputs",
            "candle_time",
            "computed_at",
        ),
    }


def test_nothing_yet_is_empty_lists():
    _, api = both()
    assert (api["watchlist"], api["signals"]) == ([], [])


@pytest.mark.parametrize("address", ["/", "/api/dashboard/state"])
def test_as_many_queries_for_many_as_for_one(address):
    def cost(count):
        for model in (WatchlistItem, Signal):
            model.objects.all().delete()
        for n in range(count):
            WatchFactory(instrument_name=f"C{n}_USD")
            SignalFactory(instrument_name=f"C{n}_USD")
        with queries() as asked:
            assert Client().get(address).status_code == 200
        return len(asked)

    assert cost(1) == cost(30)
