"""Each request has a name of its own; and whose address is noted."""

import pytest
from django.test import Client

from exchange.models import AuditEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_every_answer_names_its_request_and_no_two_alike():
    names = {Client().get("/health")["X-Request-ID"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("req-") for name in names)


def test_a_name_that_is_brought_along_is_not_taken():
    answer = Client().get("/health", headers={"X-Request-ID": "req-mine"})
    assert answer["X-Request-ID"] != "req-mine"


@pytest.mark.parametrize(
    ("behind", "forwarded", "noted"),
    [
        (False, "", "127.0.0.1"),
        (False, "203.0.113.9", "127.0.0.1"),  # nobody on the way is trusted
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what a visitor writes comes first
        (True, "2001:db8::7", "2001:db8::7"),
        (True, "<script>", "127.0.0.1"),
        (True, "", "127.0.0.1"),
    ],
)
def test_a_login_is_noted_with_the_address(settings, behind, forwarded, noted):
    settings.BEHIND_HTTPS = behind
    user = UserFactory()
    user.set_password("correct horse")
    user.save()
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    form = {"username": user.username, "password": "correct horse"}
    answer = Client().post("/login/", form, headers=headers)
    assert answer.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.what, entry.from_address) == (user.username, "LOGIN", noted)
    assert entry.correlation_id == answer["X-Request-ID"]


def test_a_wrong_password_is_no_login():
    Client().post("/login/", {"username": "ana", "password": "wrong"})
    assert not AuditEntry.objects.exists()
