"""The password again before protection is weakened."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_http_methods

from config.urls import urlpatterns as desk
from portfolio.security.sudo import sudo_required
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

PASSWORD = "correct horse"


@require_http_methods(["GET", "POST"])
@sudo_required
def release(request):
    return HttpResponse(f"done {request.POST.getlist('coin')} {request.GET.get('n')}")


urlpatterns = [path("release/", release, name="release"), *desk]


@pytest.fixture
def bob():
    user = UserFactory(username="bob")
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def later():
    with time_machine.travel(0, tick=False) as clock:
        yield lambda **span: clock.shift(timedelta(**span))


@pytest.fixture
def old(later, bob):
    """Bob, who logged in five minutes ago."""
    later(minutes=5)
    return bob


def test_logging_in_is_giving_the_password(later, bob):
    later(minutes=4, seconds=59)
    assert bob.get("/release/").content == b"done [] None"


def test_after_five_minutes_one_is_asked_and_comes_back(old):
    asked = old.get("/release/?n=1")
    assert asked["Location"] == "/sudo/?next=%2Frelease%2F%3Fn%3D1"
    page = old.get(asked["Location"]).content.decode()
    assert 'value="/release/?n=1"' in page
    back = old.post("/sudo/", {"password": PASSWORD, "next": "/release/?n=1"})
    assert back["Location"] == "/release/?n=1"
    assert old.get(back["Location"]).content == b"done [] 1"


def test_a_wrong_password_opens_nothing(old):
    page = old.post("/sudo/", {"password": "battery", "next": "/release/"})
    assert "Nothing was changed" in page.content.decode()
    assert old.get("/release/").status_code == 302


def test_the_password_of_another_does_not_count(old):
    other = UserFactory(username="eve")
    other.set_password("eves own")
    other.save()
    old.post("/sudo/", {"password": "eves own", "username": "eve"})
    assert old.get("/release/").status_code == 302


def test_a_form_that_was_filled_in_is_not_lost(old):
    page = old.post("/release/?n=2", {"coin": ["BTC", "ETH<"]}).content.decode()
    assert 'name="coin" value="BTC"' in page
    assert 'name="coin" value="ETH&lt;"' in page
    answer = old.post("/release/?n=2", {"coin": ["BTC", "ETH<"], "sudo": "1", "password": PASSWORD})
    assert answer.content.decode() == "done ['BTC', 'ETH<'] 2"


def test_a_form_with_a_wrong_password_is_asked_again_and_kept(old):
    page = old.post("/release/", {"coin": "BTC", "sudo": "1", "password": "battery"}).content.decode()
    assert "Nothing was changed" in page
    assert 'name="coin" value="BTC"' in page
    assert "battery" not in page


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_one_is_led_to_no_other_site(old, evil):
    assert old.post("/sudo/", {"password": PASSWORD, "next": evil})["Location"] == "/"


def test_a_stranger_logs_in_first():
    assert Client().get("/release/")["Location"] == "/login/?next=/release/"
    assert Client().get("/sudo/")["Location"] == "/login/?next=/sudo/"
    answer = Client().post("/release/", headers={"Referer": "http://testserver/form/?a=1"})
    assert answer["Location"] == "/login/?next=/form/%3Fa%3D1"


def test_a_form_needs_the_token_against_forgery():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    assert client.post("/release/").status_code == 403
    assert client.post("/sudo/", {"password": "x"}).status_code == 403


def test_a_clock_that_was_set_back_asks_again(later, bob):
    later(seconds=-1)
    assert bob.get("/release/").status_code == 302
