"""The watchlist can be changed in the admin too, by the same rules."""

import pytest

from portfolio.models import WatchlistItem
from tests.factories import InstrumentFactory, SignalFactory, UserFactory, WatchFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/portfolio/watchlistitem/"


@pytest.fixture
def alice(client):
    client.force_login(UserFactory())
    InstrumentFactory()
    return client


def names():
    return list(WatchlistItem.objects.values_list("instrument_name", flat=True))


def test_to_add(alice):
    WatchFactory(instrument_name="ETH_USD", position=5)
    assert alice.post(f"{LIST}add/", {"instrument_name": "btc/usd", "note": "soon"}).status_code == 302
    item = WatchlistItem.objects.get(instrument_name="BTC_USD")
    assert (item.note, item.position) == ("soon", 6)


def test_what_cannot_be_traded_is_refused(alice):
    answer = alice.post(f"{LIST}add/", {"instrument_name": "NO_SUCH"})
    assert "NO_SUCH is not a spot pair" in answer.content.decode()
    assert names() == []


def test_to_note(alice):
    item = WatchFactory()
    alice.post(f"{LIST}{item.pk}/change/", {"instrument_name": "ETH_USD", "note": "later"})
    item.refresh_from_db()
    assert (item.instrument_name, item.note) == ("BTC_USD", "later")


def test_to_move_and_to_remove(alice):
    items = [WatchFactory(instrument_name=name) for name in ("A_USD", "B_USD", "C_USD", "D_USD")]
    chosen = [items[0].pk, items[1].pk]
    alice.post(LIST, {"action": "move_down", "_selected_action": chosen})
    assert names() == ["C_USD", "A_USD", "B_USD", "D_USD"]
    alice.post(LIST, {"action": "move_up", "_selected_action": chosen})
    assert names() == ["A_USD", "B_USD", "C_USD", "D_USD"]
    alice.post(f"{LIST}{items[2].pk}/delete/", {"post": "yes"})
    assert names() == ["A_USD", "B_USD", "D_USD"]


def test_the_signals_say_why_in_words(alice):
    SignalFactory()
    assert "RSI 27.4: oversold." in alice.get("/admin/portfolio/signal/?what=now").content.decode()
    assert "RSI 27.4" not in alice.get("/admin/portfolio/signal/?what=silent").content.decode()
