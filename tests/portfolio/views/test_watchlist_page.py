"""The watchlist's page: anybody who may read looks, whoever is logged in changes, without script."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchange.models import Candle, Quote
from portfolio.models import WatchlistItem
from tests.factories import CandleFactory, InstrumentFactory, QuoteFactory, UserFactory, WatchFactory
from tests.portfolio.pages import Page
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def catalogue(settings):
    settings.DASHBOARD_PUBLIC = "true"
    for name in ("BTC_USD", "ETH_USD", "SOL_USD"):
        InstrumentFactory(symbol=name)


@pytest.fixture
def alice(client):
    client.force_login(UserFactory())
    return client


def names():
    return list(WatchlistItem.objects.values_list("instrument_name", flat=True))


def page(client, address="/watchlist/"):
    return client.get(address).content.decode()


def test_an_empty_list_says_so(client):
    assert "The watchlist is empty" in page(client)


def test_a_row_tells_price_change_trend_and_note(client):
    WatchFactory(note="for the autumn")
    QuoteFactory(price=Decimal("60123.40"), change_24h=Decimal("-0.0105"))
    for hour in range(3):
        CandleFactory(opened_at=timezone.now() - timedelta(hours=hour), close=Decimal(60000 + hour))
    html = page(client)
    assert Page(html).tables["watchlist"][0].values == ["60123.40", "-1.0500"]
    assert "60,123.40" in html
    assert "−1.05%" in html
    assert "for the autumn" in html
    assert '<svg class="spark"' in html


def test_what_is_not_known_is_na_and_never_zero(client):
    WatchFactory()
    assert Page(page(client)).tables["watchlist"][0].values == []
    assert "n/a" in page(client)


def test_a_price_that_is_old_says_of_when_it_is(client):
    WatchFactory()
    quote = QuoteFactory()
    assert "as of" not in page(client)
    quote.read_at -= timedelta(minutes=4)
    quote.save()
    assert "as of" in page(client)


def test_an_instrument_that_left_the_catalogue_stays_and_says_so(client):
    WatchFactory(instrument_name="OLD_USD")
    assert "not listed on the exchange" in page(client)


def test_a_stranger_sees_no_form_and_changes_nothing(client):
    item = WatchFactory()
    assert "<form" not in page(client).split("<main")[1].split("</main>")[0]
    assert client.post("/watchlist/", {"instrument_name": "ETH_USD"}).url.startswith("/login/")
    assert client.post(f"/watchlist/{item.pk}/", {"do": "remove"}).url.startswith("/login/")
    assert names() == ["BTC_USD"]


def test_to_add_one(alice):
    answer = alice.post("/watchlist/", {"instrument_name": "eth/usd ", "note": "soon"}, follow=True)
    assert "ETH/USD added to the watchlist." in answer.content.decode()
    assert WatchlistItem.objects.get().note == "soon"
    assert '<option value="SOL_USD">' in answer.content.decode()


def test_what_cannot_be_traded_is_refused_in_words_and_nothing_typed_is_lost(alice):
    answer = alice.post("/watchlist/", {"instrument_name": "NO_SUCH<b>", "note": "my note"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "NO_SUCH&lt;b&gt; is not a spot pair tradable on the exchange." in html
    assert 'value="my note"' in html
    assert 'aria-invalid="true"' in html
    assert names() == []


def test_adding_one_twice_keeps_its_note(alice):
    WatchFactory(note="old")
    answer = alice.post("/watchlist/", {"instrument_name": "BTC_USD", "note": ""}, follow=True)
    assert "is already on the watchlist" in answer.content.decode()
    assert WatchlistItem.objects.get().note == "old"


@pytest.mark.parametrize(
    ("which", "do", "order"),
    [
        (0, "down", ["ETH_USD", "BTC_USD", "SOL_USD"]),
        (2, "up", ["BTC_USD", "SOL_USD", "ETH_USD"]),
        (0, "up", ["BTC_USD", "ETH_USD", "SOL_USD"]),
        (2, "down", ["BTC_USD", "ETH_USD", "SOL_USD"]),
        (1, "remove", ["BTC_USD", "SOL_USD"]),
        (1, "dance", ["BTC_USD", "ETH_USD", "SOL_USD"]),
    ],
)
def test_one_press_each(alice, which, do, order):
    items = [WatchFactory(instrument_name=name) for name in ("BTC_USD", "ETH_USD", "SOL_USD")]
    assert alice.post(f"/watchlist/{items[which].pk}/", {"do": do}).url == "/watchlist/"
    assert names() == order


def test_to_write_a_note(alice):
    item = WatchFactory()
    alice.post(f"/watchlist/{item.pk}/", {"do": "note", "note": " wait for 55k "})
    assert WatchlistItem.objects.get().note == "wait for 55k"
    answer = alice.post(f"/watchlist/{item.pk}/", {"do": "note", "note": "x" * 201}, follow=True)
    assert "at most 200 characters" in answer.content.decode()
    assert WatchlistItem.objects.get().note == "wait for 55k"


def test_one_that_is_gone_is_not_found(alice):
    assert alice.post("/watchlist/77/", {"do": "remove"}).status_code == 404
    assert alice.get("/watchlist/77/").status_code == 405


def test_as_many_queries_for_many_as_for_one(client):
    def cost(count):
        for model in (WatchlistItem, Quote, Candle):
            model.objects.all().delete()
        for n in range(count):
            WatchFactory(instrument_name=f"C{n}_USD")
            QuoteFactory(instrument_name=f"C{n}_USD")
            CandleFactory(instrument_name=f"C{n}_USD")
        with queries() as asked:
            assert client.get("/watchlist/").status_code == 200
        return len(asked)

    assert cost(1) == cost(40) <= 25


def test_nothing_that_the_policy_forbids(alice):
    WatchFactory(note="<script>alert(1)</script>")
    shown = Page(page(alice))
    assert (shown.inline, shown.external) == ([], [])
