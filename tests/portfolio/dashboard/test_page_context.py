"""What stands around every page."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from portfolio.web.page_context import MENU_PAGES
from tests.factories import AlertFactory, BalanceFactory, GroupFactory, InstrumentFactory, SyncRunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def page(address="/", **headers):
    return Client(headers=headers).get(address).content.decode()


def title(html):
    return re.search("<title>(.*?)</title>", html, re.DOTALL)[1]


@pytest.mark.parametrize("name", [name for name, _label, _icon in MENU_PAGES])
def test_every_page_of_the_menu_is_there(name):
    assert not reverse(name).startswith("/api/")
    assert f'href="{reverse(name)}"' in page()


def test_where_one_is_is_marked_below_a_page_too():
    assert re.search(r'<a href="/" aria-current="page">', page())
    html = page("/orders/")
    assert re.search(r'<a href="/orders/" aria-current="page">', html)
    assert not re.search(r'<a href="/" aria-current="page">', html)


def test_what_needs_the_person_is_in_the_title_and_the_menu():
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()
    html = page("/about/")
    assert title(html) == "(1) DRY RUN · About · Exchange Desk"
    assert '<span class="n">1<span class="vh"> need attention' in html


def test_nothing_to_do_is_no_number():
    SyncRunFactory()
    assert title(page()) == "DRY RUN · Dashboard · Exchange Desk"


def test_an_alarm_is_on_every_page():
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()
    GroupFactory(state="UNKNOWN")
    assert "BTC: stop not confirmed." in page("/about/")


def test_an_alert_is_on_every_page():
    SyncRunFactory()
    alert = AlertFactory()
    html = page("/about/")
    assert alert.title in html
    assert '<a href="/alerts/"><b>' in html


def test_who_may_not_read_learns_nothing_from_the_frame(settings):
    settings.DASHBOARD_PUBLIC = "false"
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()
    GroupFactory(state="STOP_FAILED")
    html = page("/login/")
    assert title(html) == "DRY RUN · Log in · Exchange Desk"
    for words in ("stop failed", "Up to date", "need attention", "Balances", 'href="/protection/"'):
        assert words not in html


def test_the_foot_tells_the_age_of_every_source():
    SyncRunFactory()
    BalanceFactory()
    html = page()
    for source in ("Balances", "Orders", "Signals"):
        assert re.search(rf"</svg> {source} (<time|never)", html)
    assert "Times in UTC." in html


@pytest.mark.parametrize("environment", ["LIVE", "SANDBOX"])
def test_the_icon_and_the_strip_tell_the_mode(settings, environment):
    settings.ENVIRONMENT = environment
    html = page()
    assert f"desk/{environment.lower()}.svg" in html
    assert f'class="mode mode-{environment.lower()}"' in html
    assert title(html).startswith(f"{environment} · ")
