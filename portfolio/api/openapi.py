"""The OpenAPI 3 document of the API, with access rules and error responses, and the page that shows it."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from portfolio.security.access import read_access_required

SCHEME = "token"
READ_METHODS = ("GET", "HEAD")
NEEDS_CONFIRMATION = (
    "Needs a session whose password was confirmed in the last five minutes; a token is not enough."
)
NEEDS_LOGIN = "Needs a login or a token with the scope `trade`."

JsonObject = dict[str, Any]

ERROR_SCHEMAS: JsonObject = {
    "Error": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    "FieldErrors": {
        "type": "object",
        "description": "Error messages by field name; `detail` is about the request as a whole.",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
    },
}
ERROR_DESCRIPTIONS = {
    "400": "Invalid input; the fields are named.",
    "401": "Not logged in, or the token is unknown, expired or revoked.",
    "403": "Not allowed; `detail` explains what is needed.",
    "404": "Not found.",
    "406": "The requested format is not available.",
    "409": "Conflict with the current state.",
    "413": "The request body is too large.",
    "415": "The request body is not JSON.",
    "429": "Too many requests; `Retry-After` is the number of seconds to wait.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "portfolio.security.authentication.TokenAuthentication"
    name = SCHEME

    def get_security_definition(self, auto_schema: AutoSchema) -> JsonObject:
        return dict(build_bearer_security_scheme_object("Authorization", "Token"))


class DeskAutoSchema(AutoSchema):
    """Adds who may do what. Reading can be open to everybody (DASHBOARD_PUBLIC)."""

    def get_auth(self) -> list[JsonObject]:
        schemes = list(super().get_auth())
        if self.method in READ_METHODS:
            return [*schemes, {}]
        return [scheme for scheme in schemes if SCHEME not in scheme] if self._needs_password() else schemes

    def get_description(self) -> str:  # type: ignore[override]  # returns str, like its parent
        if self.method in READ_METHODS:
            return str(super().get_description())
        return f"{super().get_description()} {NEEDS_CONFIRMATION if self._needs_password() else NEEDS_LOGIN}"

    def _needs_password(self) -> bool:
        return bool(getattr(self.view, "weakens_protection", False))


def add_error_responses(result: JsonObject, generator: Any, request: Any, public: bool) -> JsonObject:
    """Adds the errors that every view can return, so that no view has to declare them."""
    result["components"]["schemas"] |= ERROR_SCHEMAS
    for path in result["paths"].values():
        for method, operation in path.items():
            _require_values(operation)
            responses = operation["responses"]
            errors = {status: _error_response(status) for status in _error_statuses(method, operation)}
            operation["responses"] = dict(sorted((errors | responses).items()))
    return result


def _require_values(operation: JsonObject) -> None:
    """A text in the query is never empty: it is left out instead."""
    for parameter in operation.get("parameters", ()):
        schema = parameter.get("schema", {})
        is_text = schema.get("type") == "string" and not {"enum", "format", "pattern"} & schema.keys()
        if parameter["in"] == "query" and is_text:
            schema["minLength"] = 1


def _error_statuses(method: str, operation: JsonObject) -> Iterator[str]:
    yield from ("401", "406", "429")
    locations = {parameter["in"] for parameter in operation.get("parameters", ())}
    if method.upper() not in READ_METHODS:
        yield from ("403", "413", "415")
    if "requestBody" in operation or locations - {"path"}:
        yield "400"
    if "path" in locations or _is_paginated(operation) or method == "delete":
        yield "404"


def _is_paginated(operation: JsonObject) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))


def _error_response(status: str) -> JsonObject:
    schema_name = "FieldErrors" if status == "400" else "Error"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema_name}"}}}
    return {"description": ERROR_DESCRIPTIONS[status], "content": content}


@cache
def openapi_document() -> dict[str, Any]:
    """Generated once: it is the same for everybody."""
    with override("en"):
        generated = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        document: dict[str, Any] = json.loads(json.dumps(generated, cls=JSONEncoder))
    return document


class SchemaView(APIView):
    """The OpenAPI 3 document."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response(openapi_document())


@require_safe
@read_access_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI from our own static files, read-only: it sends no request but the one for the document."""
    return render(request, "docs.html")
