"""Whatever is sent: it is refused in words, nothing breaks and nothing is written."""

import pytest
from django.test import Client

from oco.models import OcoGroup
from tests.factories import BalanceFactory, InstrumentFactory, SyncRunFactory, UserFactory

pytestmark = pytest.mark.django_db

BADLY_TIMED = "cD0wNTg4LTEyLTIyVDIzOjE3OjMxLjctMjM6MzQ="  # 0588-12-22T23:17:31.7-23:34
GROUPS, SYNC = "/api/oco-groups/", "/api/sync/"
GOOD = (
    '{"instrument_name": "BTC_USD", "quantity": "0.05", "stop_price": "55000", "take_profit_price": "70000"}'
)


@pytest.fixture
def alice():
    InstrumentFactory()
    SyncRunFactory()
    BalanceFactory()
    client = Client()
    client.force_login(UserFactory())
    return client


def send(client, body, content_type="application/json", **changes):
    answer = client.post(GROUPS, body, content_type=content_type, **changes)
    assert not OcoGroup.objects.exists()
    return answer


def test_the_good_one_would_go_through(alice):
    assert alice.post(GROUPS, GOOD, content_type="application/json").status_code == 202


@pytest.mark.parametrize("length", [256 * 1024 + 1, 3_000_000])
def test_what_is_too_large_is_not_read(alice, length):
    answer = send(alice, GOOD + " " * length)
    assert (answer.status_code, list(answer.json())) == (413, ["detail"])


def test_a_large_body_is_refused_by_pages_too(alice):
    answer = alice.post("/login/", {"username": "a" * 300_000, "password": "x"})
    assert answer.status_code in (400, 413)


def test_too_many_fields_are_refused(alice):
    answer = alice.post("/login/", {f"f{n}": "x" for n in range(2000)})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/html", "application/xml", "application/x-www-form-urlencoded", "image/png", "a", ""],
)
def test_what_is_not_json_is_refused(alice, content_type):
    answer = send(alice, GOOD, content_type)
    assert (answer.status_code, list(answer.json())) == (415, ["detail"])


def test_a_form_is_no_way_in(alice):
    answer = alice.post(GROUPS, {"instrument_name": "BTC_USD"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '"x"',
        "NaN",
        '{"quantity": Infinity}',
        b"\xff\xfe\x00",
        "[" * 100_000,
        '{"a":' * 40_000,
        '{"quantity": ' + "9" * 5_000 + "}",
        GOOD.replace("BTC_USD", "\\u0000"),
        GOOD.replace("BTC_USD", "\\ud800"),
        GOOD.replace("BTC_USD", "B" * 70),
        GOOD.replace("BTC_USD", "'; DROP TABLE oco_groups; --"),
        GOOD.replace('"0.05"', '{"$gt": ""}'),
        GOOD.replace("0.05", "٠.٠٥"),
    ],
)
def test_what_makes_no_sense_is_refused(alice, body):
    answer = send(alice, body)
    assert answer.status_code == 400
    assert answer.json()


@pytest.mark.parametrize("charset", ["utf-16", "nonsense", "utf-8"])
def test_a_charset_that_does_not_fit_is_no_breakdown(alice, charset):
    kind = f"application/json; charset={charset}"
    answer = alice.generic("POST", GROUPS, b"\xff{}", content_type=kind)
    assert answer.status_code in (400, 415)


@pytest.mark.parametrize(
    "address",
    [
        f"/api/orders/{'9' * 30}/",
        "/api/orders/-1/",
        "/api/orders/%00/",
        "/api/oco-groups/..%2f..%2fetc%2fpasswd/",
        "/api/../../etc/passwd",
        "/static/../config/settings.py",
        "/static/%2e%2e/%2e%2e/config/settings.py",
        "/static/desk/..%5c..%5cmanage.py",
    ],
)
def test_an_address_that_leads_nowhere_is_not_found(address):
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize(
    "cursor",
    ["x", "cD1ub25zZW5zZQ==", "bz05OTk5OTk5OTk5OQ==", "cD0lMDA=", "%00", BADLY_TIMED, "cj0xJnA9MQ=="],
)
@pytest.mark.parametrize("listed", ["orders", "trades", "balances", "oco-groups"])
def test_a_cursor_that_somebody_wrote_is_no_breakdown(listed, cursor):
    answer = Client().get(f"/api/{listed}/?cursor={cursor}")
    assert answer.status_code in (200, 404)


@pytest.mark.parametrize(
    "time",
    [
        "0588-12-22T23:17:31.7-23:34",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-11-22T12:00:00+14:00",
        "2026-11-22",
        "x",
    ],
)
@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_time_from_the_ends_of_the_world_is_no_breakdown(name, time):
    answer = Client().get("/api/orders/", {name: time})
    assert answer.status_code == 200 or (answer.status_code, list(answer.json())) == (400, [name])


@pytest.mark.parametrize("size", ["0", "-1", "x", "1e3", "½", "null", "9" * 5000])
def test_a_size_that_is_none_is_named(size):
    answer = Client().get("/api/orders/", {"page_size": size})
    assert (answer.status_code, list(answer.json())) in [
        (400, ["page_size"]),
        (200, ["next", "previous", "results"]),
    ]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_no_other_way_of_asking_is_known(alice, method):
    for address in (SYNC, "/api/dashboard/state", "/api/orders/"):
        assert getattr(alice, method)(address).status_code == 405


@pytest.mark.parametrize(
    "address", ["/api/orders/77/", "/api/oco-groups/00000000-0000-4000-8000-000000000007/"]
)
def test_what_is_not_there_is_told_without_the_names_of_our_classes(address):
    answer = Client().get(address)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
