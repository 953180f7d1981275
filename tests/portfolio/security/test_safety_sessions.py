"""What opens with something that was stolen, is over or was never given."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from portfolio.api.openapi import openapi_document
from tests.factories import ApiTokenFactory, BalanceFactory, GroupFactory, InstrumentFactory, UserFactory
from tests.test_secrets import database

pytestmark = pytest.mark.django_db

OPERATIONS = [
    (path, method)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    if method != "get"
]
TRADES = {
    ("/api/oco-groups/", "post"),
    ("/api/sync/", "post"),
    ("/api/watchlist/", "post"),
    ("/api/watchlist/", "delete"),
}
SYNC = "/api/sync/"


@pytest.fixture(autouse=True)
def closed(settings):
    settings.DASHBOARD_PUBLIC = "false"
    InstrumentFactory()
    BalanceFactory()


@pytest.fixture
def alice():
    client = Client()
    client.force_login(UserFactory())
    return client


def address(path: str) -> str:
    return path.replace("{oco_group_id}", str(GroupFactory().pk)).replace("{id}", "1")


def rows():
    return sorted(row for row in database() if not row.startswith(("Session", "AuditEntry")))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_stolen_token_that_reads_changes_nothing(path, method):
    client = Client(headers={"Authorization": f"Token {ApiTokenFactory().text}"})
    where = address(path)
    before = rows()
    answer = getattr(client, method)(where, {}, content_type="application/json")
    assert answer.status_code == 403
    assert rows() == before


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_stolen_token_that_trades_can_do_no_more_than_this(path, method):
    client = Client(headers={"Authorization": f"Token {ApiTokenFactory(scope='trade').text}"})
    answer = getattr(client, method)(address(path), {}, content_type="application/json")
    assert (answer.status_code != 403) == ((path, method) in TRADES)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_stranger_changes_nothing(settings, path, method):
    settings.DASHBOARD_PUBLIC = "true"
    where = address(path)
    before = rows()
    assert getattr(Client(), method)(where, {}, content_type="application/json").status_code == 401
    assert rows() == before


@pytest.mark.parametrize(
    "page", ["/", "/protection/", "/portfolio/", "/admin/", "/admin/auth/user/", "/sudo/"]
)
def test_no_token_opens_a_page(page):
    client = Client(headers={"Authorization": f"Token {ApiTokenFactory(scope='trade').text}"})
    assert client.get(page).status_code == 302


def test_another_site_cannot_use_the_session():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    for path, method in OPERATIONS:
        answer = getattr(client, method)(address(path), {}, content_type="application/json")
        assert (answer.status_code, list(answer.json())) == (403, ["detail"])
    page = client.post("/sync-now/")
    assert page.status_code == 403
    assert "Nothing was changed" in page.content.decode()


def test_with_the_token_of_the_session_a_program_in_a_browser_may_ask():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    client.get("/login/")
    token = client.cookies["csrftoken"].value
    for sent, status in ((token, 202), ("x" * len(token), 403)):
        answer = client.post(SYNC, content_type="application/json", headers={"X-CSRFToken": sent})
        assert answer.status_code == status


def test_a_session_that_is_over_opens_nothing(alice):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert alice.post(SYNC).status_code == 401
    assert alice.get("/")["Location"] == "/login/?next=/"


def test_a_cookie_from_before_the_logout_opens_nothing(alice):
    stolen = alice.cookies["sessionid"].value
    alice.post("/logout/")
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/api/balances/").status_code == 401


@pytest.mark.parametrize("forged", ["x", "a" * 32, "'; --", "../../etc/passwd", "a" * 4000])
def test_a_cookie_that_somebody_wrote_opens_nothing(forged):
    client = Client()
    client.cookies["sessionid"] = forged
    assert client.get("/api/balances/").status_code == 401


def test_a_new_password_ends_the_sessions_that_were_open(alice):
    user = User.objects.get()
    user.set_password("another one")
    user.save()
    assert alice.get("/api/balances/").status_code == 401


def test_who_is_shut_out_is_out_at_once(alice):
    User.objects.update(is_active=False)
    assert alice.get("/api/balances/").status_code == 401


def test_a_session_gets_another_name_at_the_login():
    User.objects.create_user("bob", password="correct horse")
    client = Client()
    client.cookies["sessionid"] = "planted00000000000000000000000000"
    client.post("/login/", {"username": "bob", "password": "correct horse"})
    assert client.cookies["sessionid"].value != "planted00000000000000000000000000"


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(settings):
    User.objects.create_user("bob", password="correct horse")
    client = Client()
    client.post("/login/", {"username": "bob", "password": "correct horse"})
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_an_open_session_in_strange_hands_does_not_give_itself_more(alice):
    """A left-open browser: the password is asked before protection goes or a token, a user or a policy is made."""
    group = GroupFactory()
    guarded = [
        "/admin/portfolio/apitoken/add/",
        "/admin/auth/user/add/",
        f"/admin/auth/user/{User.objects.get().pk}/password/",
        "/admin/oco/protectionpolicy/add/",
        "/admin/oco/ocogroup/",
        "/admin/exchange/tradingswitch/turn/",
    ]
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        before = rows()
        for page in guarded:
            asked = alice.post(page, {"scope": "trade", "days": "9", "_selected_action": str(group.pk)})
            assert "Confirm your identity" in asked.content.decode(), page
        assert alice.post(f"/api/oco-groups/{group.pk}/cancel/").status_code == 403
        assert rows() == before


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_login_leads_to_no_other_site(evil):
    User.objects.create_user("bob", password="correct horse")
    answer = Client().post("/login/", {"username": "bob", "password": "correct horse", "next": evil})
    assert answer["Location"] == "/"
