"""Who tries too many passwords waits: at the login, in the admin and where one confirms it is oneself."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from tests.factories import ApiTokenFactory, UserFactory
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"
LIMIT = 5
DOORS = ["/login/", "/admin/login/"]


@pytest.fixture(autouse=True)
def bob():
    user = UserFactory(username="bob")
    user.set_password(PASSWORD)
    user.save()
    return user


def attempt(client: Client, door: str = "/login/", password: str = "wrong", name: str = "bob", **sender):
    return client.post(door, {"username": name, "password": password}, **sender)


def fail(client: Client, times: int = LIMIT, **changes):
    return [attempt(client, **changes).status_code for _ in range(times)]


@pytest.mark.parametrize("door", DOORS)
def test_after_the_last_attempt_even_the_right_password_waits(door):
    client = Client()
    assert fail(client, door=door) == [200] * (LIMIT - 1) + [429]
    answer = attempt(client, door, PASSWORD)
    assert answer.status_code == 429
    html = answer.content.decode()
    assert "Too many attempts" in html
    assert "Nothing here is real" in html
    assert (Page(html).inline, Page(html).external) == ([], [])
    assert "_auth_user_id" not in client.session


def test_one_login_is_closed_for_all_doors():
    client = Client()
    fail(client)
    assert attempt(client, "/admin/login/", PASSWORD).status_code == 429


def test_one_address_with_many_names_waits_too():
    statuses = [attempt(Client(), name=f"name{number}").status_code for number in range(21)]
    assert statuses == [200] * 19 + [429] * 2
    assert attempt(Client(), password=PASSWORD).status_code == 429
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="203.0.113.8").status_code == 302


def test_it_waits_no_longer_than_one_name():
    with time_machine.travel(0, tick=False) as clock:
        for number in range(20):
            attempt(Client(), name=f"name{number}")
        clock.shift(timedelta(minutes=15, seconds=1))
        assert attempt(Client(), password=PASSWORD).status_code == 302


def test_a_network_of_ipv6_is_one_address():
    for number in range(LIMIT):
        attempt(Client(), REMOTE_ADDR=f"2001:db8:0:1::{number + 1}")
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="2001:db8:0:1:ffff::9").status_code == 429
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="2001:db8:0:2::1").status_code == 302


def test_an_ipv4_address_in_ipv6_is_itself():
    fail(Client(), REMOTE_ADDR="::ffff:203.0.113.7")
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="203.0.113.7").status_code == 429
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="::ffff:203.0.113.9").status_code == 302


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "bob-the-trader"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password, User(username="bob-the-trader"))


def test_confirming_counts_too():
    client = Client()
    with time_machine.travel(0, tick=False) as clock:
        attempt(client, password=PASSWORD)
        clock.shift(timedelta(minutes=5))
        tried = [client.post("/sudo/", {"password": "wrong"}).status_code for _ in range(LIMIT)]
        assert tried == [200] * (LIMIT - 1) + [429]
        assert client.post("/sudo/", {"password": PASSWORD}).status_code == 429


def test_after_a_quarter_of_an_hour_one_may_try_again(settings):
    assert timedelta(minutes=15) == settings.AXES_COOLOFF_TIME
    client = Client()
    with time_machine.travel(0, tick=False) as clock:
        fail(client)
        clock.shift(timedelta(minutes=14))
        assert attempt(client, password=PASSWORD).status_code == 429
        clock.shift(timedelta(minutes=1, seconds=1))
        assert attempt(client, password=PASSWORD).status_code == 302


def test_the_command_ends_the_wait():
    client = Client()
    fail(client)
    call_command("axes_reset")
    assert attempt(client, password=PASSWORD).status_code == 302


def test_the_right_password_begins_the_count_anew():
    client = Client()
    for _ in range(2):
        fail(client, LIMIT - 1)
        assert attempt(client, password=PASSWORD).status_code == 302


def test_others_and_other_addresses_are_not_kept_out():
    fail(Client())
    UserFactory(username="eve")
    assert attempt(Client(), name="eve").status_code == 200
    assert attempt(Client(), password=PASSWORD, REMOTE_ADDR="203.0.113.7").status_code == 302


def test_a_header_that_anybody_can_write_is_no_other_address():
    client = Client()
    tried = [attempt(client, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(LIMIT)]
    assert tried[-1] == 429


def test_no_password_is_kept():
    attempt(Client(), password="almost-right")
    assert "almost-right" not in str(list(AccessAttempt.objects.values()))


def test_programs_do_not_wait_for_a_person_who_forgot():
    token = ApiTokenFactory()
    fail(Client(), name="alice")
    answer = Client().get("/api/balances/", headers={"Authorization": f"Token {token.text}"})
    assert answer.status_code == 200


def test_code_without_a_request_is_not_counted(bob):
    assert authenticate(username="bob", password=PASSWORD) == bob
    assert [authenticate(username="bob", password="wrong") for _ in range(LIMIT + 1)] == [None] * (LIMIT + 1)
