"""The OpenAPI document is complete and valid, and its page works within our policy."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver

from portfolio.api.openapi import openapi_document
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


def test_changes_need_authentication():
    for path, method, one in operations():
        assert ({} in one["security"]) == (method == "GET"), path
        assert "401" in one["responses"]
        if method in ("POST", "DELETE"):
            assert {"token"} <= set(map("".join, one["security"])) or path.endswith("/cancel/")


def test_a_token_is_not_enough_to_cancel():
    (cancel,) = [one for path, _, one in operations() if path.endswith("/cancel/")]
    assert cancel["security"] == [{"cookieAuth": []}]
    assert "202" in cancel["responses"]


def test_the_idempotency_key_is_documented():
    (ask,) = [one for path, method, one in operations() if (path, method) == ("/api/oco-groups/", "POST")]
    assert [one["name"] for one in ask["parameters"]] == ["Idempotency-Key"]
    assert {"202", "400", "401", "403", "409", "413", "415", "429"} <= set(ask["responses"])


def test_it_is_served_to_those_who_may_read(settings):
    assert Client().get(SCHEMA).json() == openapi_document()
    settings.DASHBOARD_PUBLIC = "false"
    assert Client().get(SCHEMA).status_code == 401
    assert Client().get(DOCS).status_code == 302


def test_the_page_shows_it_within_the_content_security_policy():
    response = Client().get(DOCS)
    page = Page(response.content.decode())
    assert (page.inline, page.external) == ([], [])
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert f'data-schema-url="{SCHEMA}"' in page.html
