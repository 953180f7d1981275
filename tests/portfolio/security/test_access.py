"""Who may read: nobody, this machine, or everybody; and whoever is logged in."""

from functools import partial

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from exchange.services.permissions import groups_create_missing
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

here = partial(Client, HTTP_HOST="localhost")  # a browser on this machine

API = ["/api/dashboard/state", "/api/orders/", "/api/orders/1/", "/api/trades/", "/api/balances/"]


def page_opens(client: Client, **sender: str) -> bool:
    return client.get("/", **sender).status_code == 200


def api_opens(client: Client, **sender: str) -> bool:
    return client.get("/api/dashboard/state", **sender).status_code == 200


@pytest.mark.parametrize("address", API)
def test_a_stranger_gets_a_refusal_in_json(settings, address):
    settings.DASHBOARD_PUBLIC = "false"
    answer = here().get(address)
    assert answer.status_code == 401
    assert list(answer.json()) == ["detail"]


def test_a_stranger_is_asked_to_log_in_and_comes_back(settings):
    settings.DASHBOARD_PUBLIC = "false"
    assert here().get("/?a=b")["Location"] == "/login/?next=/%3Fa%3Db"


def test_everybody_may_read_when_it_is_public(settings):
    settings.DASHBOARD_PUBLIC = "true"
    assert page_opens(here(), REMOTE_ADDR="203.0.113.7")
    assert api_opens(here(), REMOTE_ADDR="203.0.113.7")


@pytest.mark.parametrize("public", ["false", "loopback", "yes please"])
def test_whoever_is_logged_in_as_a_viewer_may_read(settings, public):
    settings.DASHBOARD_PUBLIC = public
    client = here(REMOTE_ADDR="203.0.113.7")
    groups_create_missing()
    viewer = UserFactory(is_staff=False, is_superuser=False)
    viewer.groups.add(Group.objects.get(name="viewer"))
    client.force_login(viewer)
    assert page_opens(client)
    assert api_opens(client)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_may_read(settings, address):
    settings.DASHBOARD_PUBLIC = "loopback"
    assert page_opens(here(), REMOTE_ADDR=address)
    assert api_opens(here(), REMOTE_ADDR=address)


@pytest.mark.parametrize(
    "host", ["localhost:8002", "127.0.0.1", "[::1]", "[::1]:8002", "LOCALHOST", "localhost."]
)
def test_by_a_name_of_this_machine(settings, host):
    settings.DASHBOARD_PUBLIC = "loopback"
    assert page_opens(Client(), HTTP_HOST=host)
    assert api_opens(Client(), HTTP_HOST=host)


@pytest.mark.parametrize(
    "host", ["testserver", "desk.example", "127.0.0.1.desk.example", "localhost.desk.example"]
)
def test_a_foreign_page_that_resolves_to_this_machine_may_not(settings, host):
    settings.DASHBOARD_PUBLIC, settings.ALLOWED_HOSTS = "loopback", ["*"]
    assert not page_opens(Client(), HTTP_HOST=host)
    assert not api_opens(Client(), HTTP_HOST=host)


def test_the_host_of_a_container_is_this_machine_when_it_is_named(settings):
    settings.DASHBOARD_PUBLIC, settings.LOCAL_PEERS = "loopback", ["172.31.82.1"]
    assert api_opens(here(), REMOTE_ADDR="172.31.82.1")
    assert not api_opens(here(), REMOTE_ADDR="172.31.82.3")
    assert not api_opens(here(), REMOTE_ADDR="172.31.82.1", HTTP_X_FORWARDED_FOR="203.0.113.7")


@pytest.mark.parametrize("address", ["", "10.0.0.5", "203.0.113.7", "127.0.0.2", "2001:db8::1"])
def test_another_machine_and_a_socket_may_not(settings, address):
    settings.DASHBOARD_PUBLIC = "loopback"
    assert not page_opens(here(), REMOTE_ADDR=address)
    assert not api_opens(here(), REMOTE_ADDR=address)


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Server",
        "Forwarded",
        "X-Real-IP",
        "Via",
        "CF-Connecting-IP",
        "True-Client-IP",
    ],
)
def test_a_proxy_on_this_machine_speaks_for_strangers(settings, header):
    settings.DASHBOARD_PUBLIC = "loopback"
    client = here(headers={header: "127.0.0.1"})
    assert not page_opens(client)
    assert not api_opens(client)


def test_an_unknown_word_lets_nobody_in(settings):
    settings.DASHBOARD_PUBLIC = "yes please"
    assert not page_opens(here())


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_api_only_reads(method):
    assert getattr(here(), method)("/api/orders/").status_code == 405
