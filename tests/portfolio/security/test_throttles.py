"""How often one may ask, by who asks."""

import pytest
from django.test import Client

from portfolio.api import throttling
from tests.factories import ApiTokenFactory, UserFactory

pytestmark = pytest.mark.django_db

BALANCES, SYNC, GROUPS = "/api/balances/", "/api/sync/", "/api/oco-groups/"


@pytest.fixture(autouse=True)
def tight(monkeypatch):
    """Three times a minute, once to change something."""
    rates = {"anon": "3/min", "user": "3/min", "token": "3/min", "write": "2/min", "sync": "1/min"}
    monkeypatch.setattr(throttling.BaseThrottle, "THROTTLE_RATES", rates)


def read(client: Client, times: int = 4, **sender):
    return [client.get(BALANCES, **sender).status_code for _ in range(times)]


def logged_in(name: str) -> Client:
    client = Client()
    client.force_login(UserFactory(username=name))
    return client


def with_token() -> Client:
    return Client(headers={"Authorization": f"Token {ApiTokenFactory(scope='trade').text}"})


def test_a_stranger_is_told_to_wait_and_how_long():
    client = Client()
    assert read(client) == [200, 200, 200, 429]
    answer = client.get(BALANCES)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert list(answer.json()) == ["detail"]


def test_a_header_that_anybody_can_write_makes_no_other_stranger():
    client = Client()
    assert [
        client.get(BALANCES, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(4)
    ][-1] == 429


def test_each_asks_for_oneself():
    for client in (Client(), logged_in("alice"), logged_in("bob"), with_token(), with_token()):
        assert read(client) == [200, 200, 200, 429]
    assert read(Client(), 1, REMOTE_ADDR="203.0.113.7") == [200]


def test_changing_is_counted_more_tightly():
    for client in (logged_in("alice"), with_token()):
        asked = [client.post(GROUPS, {}, content_type="application/json").status_code for _ in range(3)]
        assert asked == [400, 400, 429]
        assert read(client, 1) == [429]


def test_cycles_are_counted_most_tightly():
    for client in (logged_in("alice"), with_token()):
        assert [client.post(SYNC).status_code for _ in range(2)] == [202, 429]
        assert read(client, 1) == [200]


def test_several_pages_that_ask_once_a_second_are_welcome(settings):
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    assert {int(rates[scope].removesuffix("/min")) >= 10 * 60 for scope in ("anon", "user", "token")} == {
        True
    }
