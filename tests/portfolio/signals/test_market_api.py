"""The watchlist and the signals over HTTP: reading as for the pages, changing with a login or a trade token."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from portfolio.models import WatchlistItem
from tests.factories import (
    CandleFactory,
    InstrumentFactory,
    QuoteFactory,
    SignalFactory,
    UserFactory,
    WatchFactory,
)
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"
    InstrumentFactory()


@pytest.fixture
def alice(client):
    client.force_login(UserFactory())
    return client


def rows(client, address):
    return client.get(address).json()["results"]


def post(client, **body):
    return client.post("/api/watchlist/", json.dumps(body), content_type="application/json")


class TestWatchlist:
    def test_a_row(self, client):
        WatchFactory(note="soon")
        quote = QuoteFactory(price=Decimal("60000.10"), change_24h=Decimal("-0.0105"))
        CandleFactory()
        (row,) = rows(client, "/api/watchlist/")
        assert row == {
            "id": WatchlistItem.objects.get().pk,
            "instrument_name": "BTC_USD",
            "price": "60000.10",
            "price_at": quote.read_at.isoformat().replace("+00:00", "Z"),
            "change_24h_pct": "-1.0500",
            "note": "soon",
            "is_tradable": True,
            "trend": ["60100.00"],
        }

    def test_empty_is_an_empty_list(self, client):
        assert rows(client, "/api/watchlist/") == []

    def test_a_stranger_changes_nothing(self, client):
        WatchFactory()
        assert post(client, instrument_name="BTC_USD").status_code in (401, 403)
        assert client.delete("/api/watchlist/?instrument_name=BTC_USD").status_code in (401, 403)
        assert WatchlistItem.objects.count() == 1

    def test_to_add_and_to_note(self, alice):
        answer = post(alice, instrument_name="btc/usd", note="soon")
        assert (answer.status_code, answer.json()["instrument_name"]) == (201, "BTC_USD")
        answer = post(alice, instrument_name="BTC_USD", note="later")
        assert (answer.status_code, answer.json()["note"]) == (200, "later")
        assert post(alice, instrument_name="BTC_USD").json()["note"] == "later"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"instrument_name": "NO_SUCH"}, "instrument_name"),
            ({"instrument_name": ""}, "instrument_name"),
            ({"instrument_name": ["BTC_USD"]}, "instrument_name"),
            ({}, "instrument_name"),
            ({"instrument_name": "BTC_USD", "note": "x" * 201}, "note"),
            ({"instrument_name": "BTC_USD", "note": {}}, "note"),
        ],
    )
    def test_what_makes_no_sense_is_named(self, alice, body, field):
        answer = post(alice, **body)
        assert (answer.status_code, list(answer.json())) == (400, [field])
        assert not WatchlistItem.objects.exists()

    def test_to_remove(self, alice):
        WatchFactory()
        assert alice.delete("/api/watchlist/?instrument_name=BTC_USD").status_code == 204
        assert alice.delete("/api/watchlist/?instrument_name=BTC_USD").status_code == 404
        assert alice.delete("/api/watchlist/").json() == {"instrument_name": ["This field is required."]}


class TestSignals:
    def test_a_row(self, client):
        signal = SignalFactory()
        (row,) = rows(client, "/api/signals/")
        assert row == {
            "instrument_name": "BTC_USD",
            "timeframe": "1h",
            "action": "BUY",
            "score": 78,
            "reason": "MACD is above its signal line. RSI 27.4: oversold.",
            "inputs": {"rsi_14": "27.41", "close": "60100.00"},
            "candle_time": signal.candle_time.isoformat().replace("+00:00", "Z"),
            "computed_at": signal.computed_at.isoformat().replace("+00:00", "Z"),
        }

    def test_what_is_not_known_is_null_and_says_why(self, client):
        SignalFactory(
            action="", score=None, inputs={}, candle_time=None, reasons=[{"key": "no_bars", "params": {}}]
        )
        (row,) = rows(client, "/api/signals/")
        assert (row["action"], row["score"], row["candle_time"]) == (None, None, None)
        assert row["reason"] == "No candles read yet."

    def test_history_is_not_listed(self, client):
        SignalFactory(is_latest=False)
        assert rows(client, "/api/signals/") == []

    def test_filters(self, client):
        SignalFactory()
        SignalFactory(instrument_name="ETH_USD", timeframe="4h", action="SELL", score=50)
        SignalFactory(instrument_name="CRO_USD", candle_time=timezone.now() - timedelta(hours=4))

        def found(query):
            return {row["instrument_name"] for row in rows(client, f"/api/signals/?{query}")}

        assert found("action=BUY") == {"BTC_USD"}
        assert found("timeframe=4h") == {"ETH_USD"}
        assert found("instrument_name=CRO_USD") == {"CRO_USD"}
        assert found("instrument_name=BTC_USD&action=SELL") == set()
        assert client.get("/api/signals/?timeframe=2h").status_code == 400
        assert client.get("/api/signals/?action=DANCE").status_code == 400

    def test_signals_can_only_be_read(self, alice):
        assert alice.post("/api/signals/").status_code == 405


@pytest.mark.parametrize("address", ["/api/watchlist/", "/api/signals/"])
def test_as_many_queries_for_many_as_for_one(client, address):
    def cost():
        with queries() as asked:
            client.get(address)
        return len(asked)

    def another(n):
        WatchFactory(instrument_name=f"C{n}_USD")
        SignalFactory(instrument_name=f"C{n}_USD")

    another(0)
    one = cost()
    for n in range(1, 30):
        another(n)
    assert cost() == one
