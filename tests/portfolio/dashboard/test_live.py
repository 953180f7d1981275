"""An open page asks what is new: nothing, or only the panels that changed."""

import re

import pytest
from django.test import Client

from portfolio.web.live import Panel, revision
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    GroupFactory,
    InstrumentFactory,
    OrderFactory,
    SignalFactory,
    SyncRunFactory,
    TradingSwitchFactory,
    WatchFactory,
)
from tests.support import queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def desk():
    InstrumentFactory()
    BalanceFactory()
    SyncRunFactory()
    OrderFactory(filled=True)


def opened(client, address="/"):
    """The header that a browser with this page sends."""
    html = client.get(address).content.decode()
    marks = re.findall(r'data-live="([^"]+)"', html)
    return {"X-Live": " ".join([re.search(r'data-revision="(\w+)"', html)[1], *marks])}


def names(answer):
    return re.findall(r'<div id="live-([\w-]+)"', answer.content.decode())


def test_nothing_new_is_no_content_and_one_query():
    client = Client()
    has = opened(client)
    with queries() as asked:
        answer = client.get("/", headers=has)
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(asked) == 1


def test_nothing_new_is_small():
    client = Client()
    answer = client.get("/", headers=opened(client))
    assert len("".join(f"{name}: {value}\r\n" for name, value in answer.items())) < 450
    assert len(answer.content) == 0


def test_only_what_changed_is_sent():
    client = Client()
    has = opened(client)
    OrderFactory()
    SyncRunFactory(age=0)
    answer = client.get("/", headers=has)
    assert answer.status_code == 200
    assert "open" in names(answer)
    assert not {"executed", "watchlist", "mode", "nav"} & set(names(answer))
    assert answer["X-Live-Revision"] == revision() != has["X-Live"].split()[0]


def test_what_was_sent_is_known_from_then_on():
    client = Client()
    has = opened(client)
    OrderFactory()
    SyncRunFactory(age=0)
    client.get("/", headers=has)
    assert client.get("/", headers=opened(client)).status_code == 204


@pytest.mark.parametrize(
    "happens",
    [
        lambda: SyncRunFactory(age=0),
        lambda: SyncRunFactory(failed=True, age=0),
        AlertFactory,
        GroupFactory,
        WatchFactory,
        lambda: TradingSwitchFactory(is_off=True),
    ],
)
def test_whatever_happens_is_another_revision(happens):
    before = revision()
    happens()
    assert revision() != before


def test_growing_old_is_another_revision(settings):
    before = revision()
    settings.SYNC_INTERVAL_SECONDS = 1
    SignalFactory()
    assert revision() != before


def test_an_age_is_no_change():
    young, old = '<time datetime="a">3 s ago</time>', '<time datetime="a">9 s ago</time>'
    assert Panel(name="a", html=young).mark == Panel(name="a", html=old).mark
    assert Panel(name="a", html=young).mark != Panel(name="a", html=young + "!").mark


def test_a_paused_page_only_learns_that_something_waits():
    client = Client()
    has = {**opened(client), "X-Live-Peek": "yes"}
    assert "X-Live-Waiting" not in client.get("/", headers=has)
    OrderFactory()
    SyncRunFactory(age=0)
    answer = client.get("/", headers=has)
    assert (answer.status_code, answer["X-Live-Waiting"]) == (204, "yes")


def test_a_stranger_learns_nothing(settings):
    client = Client()
    has = opened(client)
    SyncRunFactory(age=0)
    settings.DASHBOARD_PUBLIC = "false"
    answer = client.get("/", headers=has)
    assert answer.status_code == 302
    assert "X-Live-Revision" not in answer


def test_a_page_that_is_gone_is_left_as_it_is():
    client = Client()
    has = opened(client)
    SyncRunFactory(age=0)
    assert client.get("/protection/00000000-0000-0000-0000-000000000000/", headers=has).status_code == 204


def test_a_word_to_the_person_is_not_spent_on_a_panel(admin_client):
    has = opened(admin_client)
    admin_client.post("/sync-now/")
    SyncRunFactory(age=0)
    admin_client.get("/", headers=has)
    assert "Sync requested." in admin_client.get("/").content.decode()


def test_no_panel_holds_a_form():
    panels = Client().get("/", headers={"X-Live": "other"})
    assert len(names(panels)) > 10
    assert "csrfmiddlewaretoken" not in panels.content.decode()
