"""The page of the signals: each with its strength, its reasons and its age; nothing where nothing is known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exchange.models import Heartbeat
from portfolio.models import Signal
from portfolio.signals import selectors
from tests.factories import SignalFactory
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def public(settings):
    settings.DASHBOARD_PUBLIC = "true"


def looked(minutes=1):
    Heartbeat.objects.update_or_create(
        name="signals", defaults={"beat_at": timezone.now() - timedelta(minutes=minutes)}
    )


def page(client, query=""):
    return client.get(f"/signals/{query}").content.decode()


def test_a_signal_has_strength_reasons_and_indicators(client):
    SignalFactory()
    looked()
    html = page(client)
    assert '<span class="call buy">BUY</span>' in html
    assert '<data value="78">78</data>' in html
    assert "MACD is above its signal line. RSI 27.4: oversold." in html
    assert "RSI, 14 candles" in html
    assert '<data value="60100.00">60,100.00</data>' in html
    assert "they never send orders" in html
    assert (Page(html).inline, Page(html).external) == ([], [])


def test_without_a_signal_it_says_why(client):
    SignalFactory(
        action="", score=None, inputs={}, reasons=[{"key": "short", "params": {"have": "12", "need": "150"}}]
    )
    html = page(client)
    assert "Only 12 consecutive closed candles; 150 are needed." in html
    assert "BUY</span>" not in html


def test_a_signal_that_a_later_bar_should_have_replaced_is_not_shown(client):
    SignalFactory(candle_time=timezone.now() - timedelta(hours=3))
    html = page(client)
    assert "The latest closed candle is too old." in html
    assert "BUY</span>" not in html


def test_before_the_first_look_it_waits(client):
    html = page(client)
    assert "Waiting for the first calculation" in html
    assert "every five minutes, for your watchlist" in html


def test_a_late_look_is_told(client):
    SignalFactory()
    looked(minutes=2)
    assert "Late, last run" not in page(client)
    looked(minutes=8)
    assert "Late, last run" in page(client)


def test_the_filters_leave_out_what_they_do_not_name(client):
    SignalFactory()
    SignalFactory(instrument_name="ETH_USD", action="SELL", timeframe="4h")
    assert sections(client) == {"BTC_USD", "ETH_USD"}
    assert sections(client, "?action=SELL") == {"ETH_USD"}
    assert sections(client, "?timeframe=1h") == {"BTC_USD"}
    assert sections(client, "?instrument_name=BTC_USD&action=SELL") == set()
    assert "No signals match the filters." in page(client, "?action=HOLD")
    assert sections(client, "?action=nonsense&page=x") == {"BTC_USD", "ETH_USD"}


def sections(client, query=""):
    html = page(client, query)
    return {name for name in ("BTC_USD", "ETH_USD") if f'id="{name}"' in html}


def test_the_strongest_comes_first_and_there_are_pages(client):
    for n in range(15):
        SignalFactory(instrument_name=f"C{n}_USD", score=41 + n)
    first, second = page(client), page(client, "?page=2")
    assert first.index('id="C14_USD"') < first.index('id="C13_USD"')
    assert ('id="C5_USD"' in first, 'id="C4_USD"' in first) == (True, False)
    assert 'id="C4_USD"' in second
    assert "1-10 of 15" in first


def test_in_spanish_or_english_the_reasons_are_made_words_when_read(client, monkeypatch):
    SignalFactory()
    monkeypatch.setitem(selectors.REASON_TEXTS, "macd_above", "MACD arriba.")
    assert "MACD arriba. RSI 27.4" in page(client)


def test_as_many_queries_for_many_as_for_one(client):
    def cost(count):
        Signal.objects.all().delete()
        for n in range(count):
            SignalFactory(instrument_name=f"C{n}_USD")
        with queries() as asked:
            assert client.get("/signals/").status_code == 200
        return len(asked)

    assert cost(1) == cost(60) <= 25
