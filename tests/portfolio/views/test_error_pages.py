"""The first page, the login and the errors, as a person sees them."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from tests.factories import BalanceFactory, InstrumentFactory, OrderFactory, SyncRunFactory, UserFactory
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def html(address: str = "/") -> str:
    return Client().get(address).content.decode()


def plain(text: str) -> str:
    """What is read, without the markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", text)).split())


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.force_login(UserFactory())
    return client


@pytest.mark.parametrize("address", ["/", "/login/", "/admin/login/", "/nothing/here/", "/health"])
def test_every_page_carries_the_strict_policy(address):
    assert Client().get(address)["Content-Security-Policy"] == STRICT


@pytest.mark.parametrize("address", ["/", "/login/", "/admin/login/", "/nothing/here/"])
def test_every_page_says_the_mode_first_and_needs_nothing_from_elsewhere(address):
    page = Page(html(address))
    assert page.title.startswith("DRY RUN · ")
    assert (page.inline, page.external) == ([], [])
    assert "Nothing here is real" in html(address)


@pytest.mark.parametrize(
    ("environment", "enabled", "words"),
    [
        ("LIVE", True, "Real money. Orders sent here go to your Crypto.com Exchange account"),
        ("SANDBOX", True, "Test orders, no real money"),
        ("LIVE", False, "Trading is off in the settings (TRADING_ENABLED=false)"),
        ("DRY_RUN", False, "Trading is off in the settings (TRADING_ENABLED=false)"),
    ],
)
def test_the_strip_says_what_kind_of_money_it_is(settings, environment, enabled, words):
    settings.ENVIRONMENT, settings.TRADING_ENABLED = environment, enabled
    assert words in plain(html())


def test_no_more_of_the_key_is_shown_than_its_tail(settings):
    settings.ENVIRONMENT = "LIVE"
    settings.CRYPTO_COM_API_KEY, settings.CRYPTO_COM_SECRET_KEY = "key-of-alice-7F3A", "secret-of-alice"
    for address in ("/", "/login/", "/admin/login/", "/api/dashboard/state", "/health"):
        text = html(address)
        assert "key-of-alice" not in text
        assert "secret-of-alice" not in text
    assert "key …7F3A" in html()


def test_it_waits_for_the_first_sync_without_inventing_figures():
    text = html()
    assert text.count("Waiting for the first sync") == 4
    assert "$" not in text
    assert "no balance read yet" in text


def test_it_says_why_the_first_sync_does_not_succeed():
    SyncRunFactory(failed=True)
    text = html()
    assert "The first sync has not completed yet" in text
    assert "The exchange cannot be reached: connection refused." in text


def test_empty_says_that_it_looked():
    SyncRunFactory(age=23)
    text = html()
    for words in ("No open orders", "No executed orders", "No position to protect"):
        assert words in text
    assert plain(text).count("Checked 23 s ago.") == 3
    assert "Up to date, synced 23 s ago" in plain(text)


def test_old_data_is_kept_and_called_old():
    SyncRunFactory(age=800)
    SyncRunFactory(failed=True)
    BalanceFactory()
    text = plain(html())
    assert "The data is 13 min old" in text
    assert "as of " in text
    assert "connection refused" in text
    assert "$6,000.00" in text


def test_late_data_says_that_it_is_being_tried_again():
    SyncRunFactory(age=120)
    assert "Late, synced 2 min ago, retrying" in plain(html())


def test_a_total_says_what_it_leaves_out():
    SyncRunFactory()
    BalanceFactory()
    BalanceFactory(currency="XYZ", price_usd=None)
    text = html()
    assert "excluding XYZ: no known price" in text
    assert "Price unknown." in text


def test_an_order_reads_like_one():
    InstrumentFactory(price_tick_size=Decimal("0.10"))
    OrderFactory(
        advanced=True,
        price=Decimal("54900"),
        trigger_price=Decimal("55000"),
        order_role="STOP_LOSS",
        origin="OURS",
        created_at=timezone.now() - timedelta(days=400),
    )
    text = html()
    assert ">54,900.0</data>" in text
    assert '<data value="55000">55,000.0</data><span class="sub">limit' in text
    assert "</span> Stop limit, stop loss</span>" in text


def test_what_the_exchange_says_is_never_markup():
    SyncRunFactory(failed=True, errors=["<script>alert(1)</script>"])
    OrderFactory(instrument_name="<b>X</b>", order_type="<i>Y</i>", status="<u>Z</u>")
    text = html()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<u>Z" not in text


def test_one_logs_in_and_out():
    User.objects.create_user("bob", password="correct horse")
    client = Client()
    wrong = client.post("/login/", {"username": "bob", "password": "battery"})
    assert "Wrong username or password." in wrong.content.decode()
    right = client.post("/login/", {"username": "bob", "password": "correct horse"})
    assert right["Location"] == "/"
    assert "Log out" in client.get("/").content.decode()
    client.post("/logout/")
    assert "Log in" in client.get("/").content.decode()


def test_the_button_asks_the_worker_for_a_sync(alice):
    assert "Sync now" in alice.get("/").content.decode()
    answer = alice.post("/sync-now/", {"back": "/admin/"})
    assert answer["Location"] == "/admin/"
    assert OrmQ.objects.count() == 1


def test_the_button_leads_to_no_other_site(alice):
    assert alice.post("/sync-now/", {"back": "https://evil.example/"})["Location"] == "/"


def test_nobody_else_may_ask_for_a_sync():
    assert Client().post("/sync-now/").status_code == 302
    assert OrmQ.objects.count() == 0


def test_looking_is_not_asking(alice):
    assert alice.get("/sync-now/").status_code == 405


def test_a_request_from_another_site_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    assert client.post("/sync-now/").status_code == 403


def test_an_unknown_address_is_answered_in_the_asker_s_language():
    assert Client().get("/api/nothing/").json() == {"detail": "Page not found."}
    answer = Client().get("/nothing/")
    assert (answer.status_code, "Page not found." in answer.content.decode()) == (404, True)


def test_the_style_is_one_file_of_our_own():
    page = html()
    assert page.count('rel="stylesheet"') == 1
    style = Client().get("/static/desk/desk.css")
    assert style.status_code == 200
    text = b"".join(style.streaming_content)
    assert b"http" not in text
    assert (
        b".vh:not(.hid + .vh) {" in text
    )  # a label shown on narrow screens is not the word of a hidden amount
