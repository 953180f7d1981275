"""The banner about alerts: in the reader's language, about news to this reader, and gone when it was dismissed."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone, translation

from portfolio.alerts.services import alert_raise_all
from portfolio.alerts.text_table import TEXTS
from portfolio.models import Alert, AlertDismissal, Balance
from portfolio.worker.database import delete_old_rows
from tests.factories import (
    AlertFactory,
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    SyncRunFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def synced():
    SyncRunFactory()
    InstrumentFactory()


def browser(name="alice", **headers):
    client = Client(headers=headers)
    client.force_login(UserFactory(username=name))
    return client


def banner(client, address="/about/"):
    html = client.get(address).content.decode()
    found = re.search(r'<a href="/alerts/">(<b>.*?)</a>', html, re.DOTALL)
    return unescape(re.sub("<[^>]+>", "", found[1])) if found else ""


def dismiss(client, address="/about/"):
    html = client.get(address).content.decode()
    newest = re.search(r'form="dismiss" name="alert" value="(\d+)"', html)[1]
    assert '<form id="dismiss" method="post" action="/alerts/dismiss/" hidden>' in html
    return client.post("/alerts/dismiss/", {"alert": newest, "back": address})


def test_dismissing_hides_it_for_this_user_on_every_page_and_for_no_other():
    AlertFactory.create_batch(3)
    alice, bob = browser("alice"), browser("bob")
    assert "2 more alerts" in banner(alice)
    assert dismiss(alice).url == "/about/"
    assert [banner(alice, address) for address in ("/", "/about/", "/alerts/")] == ["", "", ""]
    assert "2 more alerts" in banner(bob)
    again = browser_of("alice")
    assert banner(again) == ""
    assert "stop could not be placed" in alice.get("/alerts/").content.decode()
    assert Alert.objects.filter(acknowledged_at=None, ended_at=None).count() == 3


def browser_of(name):
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def test_it_comes_back_with_what_is_new():
    AlertFactory()
    alice = browser()
    dismiss(alice)
    AlertFactory(title="ETH_USD: stop could not be placed")
    assert banner(alice) == "ETH_USD: stop could not be placed"
    dismiss(alice)
    assert (banner(alice), AlertDismissal.objects.count()) == ("", 2)


def test_an_alert_that_came_while_the_page_was_open_is_not_dismissed_with_it():
    first = AlertFactory()
    alice = browser()
    AlertFactory(title="ETH_USD: stop could not be placed")
    alice.post("/alerts/dismiss/", {"alert": first.pk, "back": "/about/"})
    assert banner(alice) == "ETH_USD: stop could not be placed"


def test_it_comes_back_when_more_of_the_coin_has_no_stop():
    InstrumentFactory()
    BalanceFactory()
    AlertFactory(kind="UNPROTECTED", title="BTC_USD: 0.1 without a stop")
    alice = browser()
    dismiss(alice)
    Balance.objects.update(price_usd=Decimal(62000), market_value_usd=Decimal(6200))
    assert banner(alice) == ""
    Balance.objects.update(quantity=Decimal("0.2"), market_value_usd=Decimal(12400))
    assert banner(alice) == "BTC_USD: 0.1 without a stop"
    dismiss(alice)
    assert banner(alice) == ""


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 30])
def test_an_impossible_number_dismisses_nothing(value):
    AlertFactory()
    alice = browser()
    assert alice.post("/alerts/dismiss/", {"alert": value, "back": "/about/"}).status_code == 302
    assert banner(alice)


def test_only_a_user_has_something_to_dismiss():
    AlertFactory()
    assert 'form="dismiss"' not in Client().get("/").content.decode()
    assert Client().post("/alerts/dismiss/", {"alert": "1"}).url.startswith("/login/")


def test_who_removed_protection_is_not_told_so_and_others_are():
    group = GroupFactory(state="RELEASED", closed_at=timezone.now(), cancel_requested_by="alice")
    alice, bob = browser("alice"), browser("bob")
    EventFactory(
        group=group, old="ACTIVE", new="RELEASED", reason_code="RELEASED_BY", reason_params={"name": "alice"}
    )
    alert_raise_all(now=timezone.now())
    assert Alert.objects.get(kind="RELEASED").caused_by == "alice"
    Alert.objects.filter(kind="INVARIANT").delete()
    assert (banner(alice), banner(bob)) == ("", "BTC/USD: protection removed")
    assert "protection removed" in alice.get("/alerts/").content.decode()


def test_protection_that_ended_by_itself_is_news_to_everyone():
    group = GroupFactory(state="RELEASED", closed_at=timezone.now())
    EventFactory(group=group, old="ACTIVE", new="RELEASED", reason_code="CANCELLED_MANUALLY")
    alert_raise_all(now=timezone.now())
    Alert.objects.filter(kind="INVARIANT").delete()
    assert banner(browser("alice")) == "BTC/USD: protection removed"


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_every_title_is_in_the_language_of_the_reader(code):
    title = TEXTS[code].title
    words = title.values() if isinstance(title, dict) else [title]
    english = [str(one) for one in words if str(one)]
    with translation.override("es"):
        assert not set(english) & {str(one) for one in words}


def test_an_alert_that_was_stored_as_english_text_has_a_spanish_headline():
    AlertFactory()
    assert banner(browser("alice", accept_language="es")) == "BTC/USD: no se pudo colocar el stop"
    assert banner(browser("bob", accept_language="en")) == "BTC_USD: stop could not be placed"


def test_what_was_dismissed_and_is_over_is_forgotten_after_a_while():
    open_alert, over = AlertFactory(), AlertFactory()
    dismiss(browser())
    Alert.objects.filter(pk=over.pk).update(ended_at=timezone.now())
    delete_old_rows(now=timezone.now() + timedelta(days=60))
    assert AlertDismissal.objects.get().alert == open_alert
