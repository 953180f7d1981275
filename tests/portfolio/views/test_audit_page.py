"""The page of the audit log."""

import pytest
from django.test import Client

from exchange.core.observability import correlated
from exchange.models import AuditEntry
from exchange.services.audit_log import audit_record
from tests.factories import UserFactory
from tests.support import queries

pytestmark = pytest.mark.django_db
Action = AuditEntry.Action


@pytest.fixture
def ana():
    client = Client()
    client.force_login(UserFactory(username="ana"))
    return client


def shown(client, query=""):
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_nobody_reads_it_without_a_login(settings):
    settings.DASHBOARD_PUBLIC = "true"
    answer = Client().get("/audit/")
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_it_says_who_did_what_from_where_and_what_came_of_it(ana):
    with correlated("req-77", address="192.0.2.7"):
        audit_record(actor="bob", what=Action.SWITCH_OFF, text="too wild", object_ids=[12345])
    audit_record(actor="cycle vm:1", what=Action.PAIR_PLACE, result="REFUSED", code=306)
    page = shown(ana)
    for words in (
        "bob: switched trading off",
        "too wild",
        "192.0.2.7",
        "req-77",
        "REFUSED",
        "code 306",
        "12345",
    ):
        assert words in page


def test_what_people_typed_is_only_text(ana):
    audit_record(actor="bob", what=Action.SWITCH_OFF, text="<script>alert(1)</script>")
    assert "<script>alert" not in shown(ana)


@pytest.mark.parametrize(
    ("query", "words"), [("?what=SWITCH_ON", "two"), ("?name=bob", "one"), ("?name=req-2", "two")]
)
def test_it_is_searched_by_kind_person_and_cause(ana, query, words):
    for number, (actor, what, text) in enumerate(
        [("bob", Action.POLICY, "one"), ("eve", Action.SWITCH_ON, "two")], 1
    ):
        with correlated(f"req-{number}"):
            audit_record(actor=actor, what=what, text=f"note {text}")
    page = shown(ana, query)
    assert f"note {words}" in page
    assert page.count("note ") == 1


def test_it_is_read_page_by_page_to_the_end(ana):
    for number in range(120):
        audit_record(actor="bob", what=Action.POLICY, text=f"<{number}>")
    seen, query = [], "?what=POLICY"
    for _ in range(3):
        answer = ana.get(f"/audit/{query}")
        seen += [entry.text for entry in answer.context["page"].entries]
        query = f"?{answer.context['older']}"
    assert seen == [f"<{number}>" for number in reversed(range(120))]
    assert answer.context["page"].older is None


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=-1", "?before=" + "9" * 30, "?what=NOTHING", "?name=%00"]
)
def test_an_odd_question_breaks_nothing(ana, query):
    audit_record(actor="bob", what=Action.POLICY)
    assert ana.get(f"/audit/{query}").status_code == 200


def test_a_long_log_costs_no_more_than_a_short_one(ana):
    def cost():
        with queries() as statements:
            shown(ana)
        return len([one for one in statements if "audit_entries" in one])

    audit_record(actor="bob", what=Action.POLICY)
    short = cost()
    for _ in range(60):
        audit_record(actor="bob", what=Action.POLICY)
    assert cost() == short == 1
