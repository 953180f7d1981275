"""The description of the API is whole, right and readable."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from portfolio.api.openapi import SchemaType, openapi_document, schema_type
from portfolio.urls import api_urls
from tests.portfolio.pages import Page

pytestmark = pytest.mark.django_db

SCHEMA, DOCS = "/api/schema/", "/api/docs/"


def operations():
    for path, methods in openapi_document()["paths"].items():
        yield from ((path, method.upper(), one) for method, one in methods.items())


def test_it_is_made_without_a_warning(tmp_path):
    call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yaml"))


def test_it_names_every_address_of_the_api():
    assert get_resolver()
    ours = {f"/api/{one.pattern}" for one in api_urls} - {SCHEMA, DOCS, "/api/dashboard/state/"}
    plain = {path.partition("{")[0] for path in openapi_document()["paths"]}
    assert {path.partition("<")[0] for path in ours} == plain


def test_money_is_text_in_plain_digits():
    for name, shape in openapi_document()["components"]["schemas"].items():
        for field, kind in shape.get("properties", {}).items():
            assert kind.get("type") != "number", f"{name}.{field}"
    order = openapi_document()["components"]["schemas"]["Order"]["properties"]
    assert order["price"] == {
        "type": "string",
        "format": "decimal",
        "pattern": r"^-?\d+(\.\d+)?$",
        "nullable": True,
    }


def test_what_changes_something_needs_somebody():
    for path, method, one in operations():
        assert ({} in one["security"]) == (method == "GET"), path
        assert "401" in one["responses"]
        if method in ("POST", "DELETE"):
            assert {"token"} <= set(map("".join, one["security"])) or path.endswith("/cancel/")


def test_a_token_is_not_enough_to_cancel():
    (cancel,) = [one for path, _, one in operations() if path.endswith("/cancel/")]
    assert cancel["security"] == [{"cookieAuth": []}]
    assert "202" in cancel["responses"]


def test_the_key_against_repetition_is_told():
    (ask,) = [one for path, method, one in operations() if (path, method) == ("/api/oco-groups/", "POST")]
    assert [one["name"] for one in ask["parameters"]] == ["Idempotency-Key"]
    assert {"202", "400", "401", "403", "409", "413", "415", "429"} <= set(ask["responses"])


def test_it_is_served_to_whoever_may_read(settings):
    assert Client().get(SCHEMA).json() == openapi_document()
    settings.DASHBOARD_PUBLIC = "false"
    assert Client().get(SCHEMA).status_code == 401
    assert Client().get(DOCS).status_code == 302


def test_the_page_tells_all_of_it_within_the_policy():
    answer = Client().get(DOCS)
    html = answer.content.decode()
    assert (Page(html).inline, Page(html).external) == ([], [])
    for path, method, _ in operations():
        assert f"{method} {path}" in html
    for name in openapi_document()["components"]["schemas"]:
        assert f'id="shape-{name}"' in html


def test_what_may_always_be_answered_is_told_once():
    html = Client().get(DOCS).content.decode()
    assert html.count("Asked too often") == 1


@pytest.mark.parametrize(
    ("schema", "words", "shape"),
    [
        ({"type": "string", "format": "decimal", "nullable": True}, "decimal or null", ""),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Leg"}}, "list of Leg", "Leg"),
        ({"oneOf": [{"$ref": "#/x/A"}, {"enum": [None]}]}, "A or null", "A"),
        ({"enum": ["BUY", "SELL"]}, "BUY | SELL", ""),
        ({}, "anything", ""),
    ],
)
def test_a_kind_is_told_in_words(schema, words, shape):
    assert schema_type(schema) == SchemaType(words, shape)
