"""What a request says of itself opens nothing: headers of proxies, foreign hosts, headers within headers."""

from functools import partial

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

here = partial(Client, HTTP_HOST="localhost")  # a browser on this machine

PAGES = ["/", "/login/", "/admin/login/", "/health", "/api/dashboard/state", "/api/orders/"]
PROXIES = [
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Forwarded-Host",
    "X-Original-Forwarded-For",
    "X-Original-Host",
    "Forwarded",
    "Forwarded-For",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Azure-ClientIP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "CF-Connecting-IP",
    "CF-Ray",
]
HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "[::2]",
    "a b",
]


@pytest.mark.parametrize("header", PROXIES)
@pytest.mark.parametrize("value", ["127.0.0.1", "203.0.113.7", ""])
def test_a_trace_of_a_proxy_makes_a_stranger(settings, header, value):
    settings.DASHBOARD_PUBLIC = "loopback"
    assert here(headers={header: value}).get("/api/balances/").status_code == 401
    assert here(headers={header: value}).get("/").status_code == 302


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded"])
def test_no_header_makes_a_neighbour_of_a_stranger(settings, header):
    settings.DASHBOARD_PUBLIC = "loopback"
    client = here(headers={header: "127.0.0.1"}, REMOTE_ADDR="203.0.113.7")
    assert client.get("/api/balances/").status_code == 401


def test_an_ordinary_browser_on_this_machine_is_none(settings):
    settings.DASHBOARD_PUBLIC = "loopback"
    usual = {
        "Accept": "*/*",
        "User-Agent": "Mozilla/5.0",
        "Accept-Language": "es",
        "Referer": "http://localhost/",
        "DNT": "1",
    }
    assert here(headers=usual).get("/api/balances/").status_code == 200


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_another_name_is_not_ours(settings, address, host):
    """A foreign name that leads to this machine: a browser would let that site's scripts read the answer."""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    client = here(headers={"Host": host}, raise_request_exception=False)
    client.cookies.clear()
    answer = client.get(address, headers={"X-Forwarded-Host": "localhost"})
    assert answer.status_code == 400
    assert host not in answer.content.decode()
    if address.startswith("/api/"):
        assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize("bad", ["x\r\nSet-Cookie: a=b", "x\nLocation: https://evil.example", "x\x00y"])
def test_no_header_is_smuggled_into_an_answer(bad):
    client = here()
    client.force_login(UserFactory())
    for answer in (
        client.get("/login/", {"next": f"/{bad}"}),
        client.post("/sudo/", {"password": "x", "next": f"/{bad}"}),
        client.post("/sync-now/", {"back": f"/{bad}"}),
        client.get("/api/balances/", headers={"Accept": bad, "X-Request-ID": bad}),
        client.post(
            "/api/oco-groups/", "{}", content_type="application/json", headers={"Idempotency-Key": bad}
        ),
    ):
        assert answer.status_code < 500
        assert "a" not in answer.cookies
        assert answer.headers.get("Location", "/")[:2] in ("/", "/x")
        assert not any("\n" in value or "\r" in value for value in answer.headers.values())


def test_answers_say_what_they_are_and_may_not_be_framed():
    for address in PAGES:
        answer = here().get(address)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "no-store" in answer["Cache-Control"]
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
