"""How one person wants the desk shown, without a script."""

import pytest
from django.test import Client

from portfolio.web.preferences import Preferences, current_preferences, preferences_from
from tests.factories import BalanceFactory, InstrumentFactory, SyncRunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_what_was_never_chosen_is_as_the_system_wants_it():
    assert 'class="theme-auto palette-teal"' in Client().get("/").content.decode()


def test_what_is_chosen_stays():
    client = Client()
    answer = client.post("/display/", {"theme": "dark", "palette": "blue", "back": "/about/"})
    assert answer["Location"] == "/about/"
    assert 'class="theme-dark palette-blue"' in client.get("/").content.decode()
    assert 'class="theme-dark palette-blue"' in client.get("/nothing/").content.decode()


def test_one_choice_leaves_the_others():
    client = Client()
    client.post("/display/", {"theme": "dark"})
    client.post("/display/", {"amounts": "hidden"})
    assert client.cookies["theme"].value == "dark"
    assert client.cookies["amounts"]["httponly"]


def test_nonsense_is_not_kept():
    client = Client()
    client.post("/display/", {"theme": 'x" onload=alert(1)', "colour": "red"})
    assert "theme" not in client.cookies
    assert preferences_from({"theme": "pink"}) == Preferences()


def test_it_leads_to_no_other_site():
    assert Client().post("/display/", {"back": "//evil.example/"})["Location"] == "/"


def test_looking_changes_nothing():
    assert Client().get("/display/?theme=dark").status_code == 405


def test_hidden_amounts_are_not_sent():
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()
    client = Client()
    client.cookies["amounts"] = "hidden"
    html = client.get("/").content.decode()
    assert "6,000" not in html
    assert 'value="6000' not in html
    assert "•••" in html
    assert "100.0%" in html  # of what the account is made of


def test_the_next_answer_is_shown_to_somebody_else():
    client = Client()
    client.cookies["amounts"] = "hidden"
    client.get("/")
    assert current_preferences() == Preferences()


@pytest.mark.parametrize(
    ("asked", "language"), [("es", "es"), ("es-MX,en;q=0.5", "es"), ("de", "en"), ("", "en")]
)
def test_the_language_is_the_browser_s(asked, language):
    html = Client(headers={"Accept-Language": asked}).get("/about/").content.decode()
    assert f'<html lang="{language}"' in html


def test_the_switch_of_the_language_counts_more():
    client = Client(headers={"Accept-Language": "en"})
    client.post("/i18n/setlang/", {"language": "es", "next": "/about/"})
    assert '<html lang="es"' in client.get("/about/").content.decode()
