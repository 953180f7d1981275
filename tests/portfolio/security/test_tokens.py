"""Tokens of programs: how they are made, what each opens, and how they end."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from exchange.models import AuditEntry
from portfolio.models import ApiToken
from tests.factories import ApiTokenFactory, GroupFactory, UserFactory

pytestmark = pytest.mark.django_db

STATE, SYNC, GROUPS = "/api/dashboard/state", "/api/sync/", "/api/oco-groups/"


@pytest.fixture(autouse=True)
def closed(settings):
    settings.DASHBOARD_PUBLIC = "false"


def run(*words: str) -> str:
    out = StringIO()
    call_command("api_token", *words, stdout=out, stderr=out)
    return out.getvalue()


def made(*words: str) -> str:
    UserFactory()
    return run("create", "--user", "alice", *words).split()[-1]


def program(token: str) -> Client:
    return Client(headers={"Authorization": f"Token {token}"})


def status(token: str, address: str = STATE) -> int:
    return program(token).get(address).status_code


def test_a_token_is_made_shown_once_and_reads():
    token = made()
    assert len(token) == 64
    assert status(token) == 200
    row = ApiToken.objects.get()
    assert (row.scope, row.user.username, row.expiry - row.created > timedelta(days=89)) == (
        "read",
        "alice",
        True,
    )


def test_what_is_kept_opens_nothing():
    token = made("--scope", "trade")
    row = ApiToken.objects.values().get()
    assert token not in str(row)
    assert status(row["digest"]) == status(row["token_key"]) == 401
    assert token not in run("list")


def test_the_list_says_whose_until_when_and_for_what():
    token = made("--scope", "trade", "--days", "1", "--label", "the bot")
    line = run("list")
    assert line.startswith(token[:8])
    assert all(word in line for word in ("trade", "alice", "the bot"))


def test_a_revoked_token_opens_nothing():
    token = made()
    assert "Revoked" in run("revoke", token[:8])
    assert status(token) == 401
    assert [one.what for one in AuditEntry.objects.order_by("pk")] == ["TOKEN_MADE", "TOKEN_REVOKED"]
    assert token not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("letters", ["", "a", "zzzzzzzz"])
def test_nothing_is_revoked_by_guess(letters):
    made()
    with pytest.raises(CommandError, match="No token begins"):
        run("revoke", letters)
    assert ApiToken.objects.exists()


@pytest.mark.parametrize(
    "words", [["--user", "nobody"], ["--user", "alice", "--days", "0"], ["--user", "alice", "--days", "x"],
              ["--user", "alice", "--scope", "all"], []]
)  # fmt: skip
def test_a_token_that_cannot_be_is_not_made(words):
    UserFactory()
    with pytest.raises(CommandError):
        run("create", *words)
    assert not ApiToken.objects.exists()


def test_a_token_ends_by_itself():
    token = made("--days", "1")
    with time_machine.travel(ApiToken.objects.get().expiry, tick=False):
        assert status(token) == 401
    assert "(expired)" not in run("list")


def test_it_opens_nothing_for_a_user_who_is_shut_out():
    token = made()
    User.objects.update(is_active=False)
    assert status(token) == 401


@pytest.mark.parametrize(
    "header", ["Token", "Token a b", "Token ü", "Token \xff\xfe", "Token " + "0" * 64, "Token " + "0" * 63]
)
def test_what_is_no_token_is_refused(header):
    answer = Client().get(STATE, headers={"Authorization": header})
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    assert answer["WWW-Authenticate"] == "Token"


def test_a_wrong_token_is_refused_even_where_everybody_may_read(settings):
    settings.DASHBOARD_PUBLIC = "true"
    assert status("0" * 64) == 401


def test_it_costs_one_query():
    token = made()
    with CaptureQueriesContext(connection) as queries:
        assert status(token, "/api/balances/") == 200
    assert len(queries) == 2


def test_a_token_that_reads_changes_nothing():
    client = program(made())
    for address in (SYNC, GROUPS, f"{GROUPS}{GroupFactory().pk}/cancel/"):
        answer = client.post(address, {}, content_type="application/json")
        assert answer.status_code == 403
        assert list(answer.json()) == ["detail"]
    assert OrmQ.objects.count() == 0


def test_a_token_that_trades_asks_for_a_sync_and_for_protection():
    client = program(made("--scope", "trade"))
    answer = client.post(SYNC)
    assert (answer.status_code, list(answer.json())) == (202, ["id"])
    assert OrmQ.objects.count() == 1
    assert client.post(GROUPS, {}, content_type="application/json").status_code == 400


def test_no_token_takes_protection_away():
    group = GroupFactory()
    answer = program(made("--scope", "trade")).post(f"{GROUPS}{group.pk}/cancel/")
    assert answer.status_code == 403
    assert "log in and do it on the protection page" in answer.json()["detail"]
    group.refresh_from_db()
    assert group.cancel_requested_at is None


def test_a_token_beside_a_session_has_the_rights_of_the_token():
    token = made()
    client = Client(headers={"Authorization": f"Token {token}"})
    client.force_login(User.objects.get())
    assert client.post(SYNC).status_code == 403


def test_a_person_takes_protection_away_after_the_password():
    client, address = Client(), f"{GROUPS}{GroupFactory().pk}/cancel/"
    with time_machine.travel(0, tick=False) as clock:
        client.force_login(UserFactory())
        clock.shift(timedelta(minutes=5))
        late = client.post(address)
        assert (late.status_code, "/sudo/" in late.json()["detail"]) == (403, True)
        client.force_login(UserFactory())
        assert client.post(address).status_code == 202


def test_pages_take_no_token():
    assert status(made(), "/") == 302


def test_the_admin_shows_it_once_and_only_to_whom_it_belongs():
    client = Client()
    client.force_login(UserFactory())
    page = client.post("/admin/portfolio/apitoken/add/", {"label": "a bot", "scope": "trade", "days": "7"})
    row = ApiToken.objects.get()
    token = page.content.decode().partition('id="token">')[2][:64]
    assert (row.scope, row.label, row.user.username) == ("trade", "a bot", "alice")
    assert status(token) == 200
    for address in ("", f"{row.pk}/change/", "add/"):
        assert token not in client.get(f"/admin/portfolio/apitoken/{address}").content.decode()


def test_deleting_in_the_admin_is_revoking():
    client, row = Client(), ApiTokenFactory()
    client.force_login(UserFactory())
    client.post(f"/admin/portfolio/apitoken/{row.pk}/delete/", {"post": "yes"})
    assert status(row.text) == 401
    assert AuditEntry.objects.filter(what="TOKEN_REVOKED").count() == 1


def test_the_admin_makes_no_token_that_cannot_be():
    client = Client()
    client.force_login(UserFactory())
    client.post("/admin/portfolio/apitoken/add/", {"label": "a bot", "scope": "all", "days": "0"})
    assert not ApiToken.objects.exists()
