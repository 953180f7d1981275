"""A login lasts as with Django; what stands in the table opens nothing."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portfolio.security.authentication import SessionStore
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
COOKIE = configured.SESSION_COOKIE_NAME


@pytest.fixture
def ana():
    client = Client()
    client.force_login(UserFactory(username="ana"))
    return client


def is_in(client):
    return client.get("/audit/").status_code == 200


def test_whoever_logged_in_stays_in(ana):
    assert is_in(ana)
    assert is_in(ana)
    assert Session.objects.count() == 1


def test_the_number_in_the_cookie_is_not_in_the_table(ana):
    assert Session.objects.get().session_key != ana.cookies[COOKIE].value


def test_what_is_in_the_table_is_no_login(ana):
    thief = Client()
    thief.cookies[COOKIE] = Session.objects.get().session_key
    assert not is_in(thief)


def test_logging_out_ends_the_session_for_good(ana):
    number = ana.cookies[COOKIE].value
    ana.post("/logout/")
    assert not Session.objects.exists()
    again = Client()
    again.cookies[COOKIE] = number
    assert not is_in(again)


def test_an_expired_one_opens_nothing(ana):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(ana)


def test_logging_in_changes_the_number():
    client = Client()
    session = client.session
    session["before"] = "kept"
    session.save()
    old = client.cookies[COOKIE].value
    client.force_login(UserFactory())
    assert client.cookies[COOKIE].value != old
    assert Session.objects.count() == 1
    assert client.session["before"] == "kept"


def test_a_number_that_is_taken_is_known():
    store = SessionStore()
    store.create()
    assert store.exists(store.session_key)
    assert not store.exists("another")
    assert SessionStore("nobody").load() == {}
    store.delete()
    assert not Session.objects.exists()
