"""The API described: for programs as OpenAPI 3, for people as a page made of the same.

What the API says of itself (OpenAPI 3): who may ask, and what is answered when it goes wrong.

The description of the API (OpenAPI 3) as rows for a page (pure).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
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
NEEDS_CONFIRMATION = "Needs a session whose password was given in the last five minutes; no token is enough."
NEEDS_LOGIN = "Needs a login or a token with the scope `trade`."

JsonObject = dict[str, Any]

ERROR_SCHEMAS: JsonObject = {
    "Error": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    "FieldErrors": {
        "type": "object",
        "description": "What is wrong, by the name of the field; `detail` is about the whole.",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
    },
}
ERROR_DESCRIPTIONS = {
    "400": "Something that was sent makes no sense; it is named.",
    "401": "Nobody is logged in, or the token is not known, has ended or was revoked.",
    "403": "Whoever asks may not do this; the words say what to do.",
    "404": "It is not there.",
    "406": "It cannot be answered in the way that was asked for.",
    "409": "It does not go with what there is already.",
    "413": "What was sent is too large.",
    "415": "What was sent is not JSON.",
    "429": "Asked too often; `Retry-After` says for how many seconds to wait.",
}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it registers itself
    target_class = "portfolio.security.authentication.TokenAuthentication"
    name = SCHEME

    def get_security_definition(self, auto_schema: AutoSchema) -> JsonObject:
        return dict(build_bearer_security_scheme_object("Authorization", "Token"))


class DeskAutoSchema(AutoSchema):
    """With who may do what. Reading may be open to everybody, by DASHBOARD_PUBLIC."""

    def get_auth(self) -> list[JsonObject]:
        schemes = list(super().get_auth())
        if self.method in READ_METHODS:
            return [*schemes, {}]
        return [scheme for scheme in schemes if SCHEME not in scheme] if self._needs_password() else schemes

    def get_description(self) -> str:  # type: ignore[override]  # as its own parent has it
        if self.method in READ_METHODS:
            return str(super().get_description())
        return f"{super().get_description()} {NEEDS_CONFIRMATION if self._needs_password() else NEEDS_LOGIN}"

    def _needs_password(self) -> bool:
        return bool(getattr(self.view, "weakens_protection", False))


def add_error_responses(result: JsonObject, generator: Any, request: Any, public: bool) -> JsonObject:
    """Whatever can go wrong everywhere, so that no view has to say it."""
    result["components"]["schemas"] |= ERROR_SCHEMAS
    for path in result["paths"].values():
        for method, operation in path.items():
            responses = operation["responses"]
            wrong = {status: _error_response(status) for status in _statuses(method, operation)}
            operation["responses"] = dict(sorted((wrong | responses).items()))
    return result


def _statuses(method: str, operation: JsonObject) -> Iterator[str]:
    yield from ("401", "406", "429")
    locations = {parameter["in"] for parameter in operation.get("parameters", ())}
    if method.upper() not in READ_METHODS:
        yield from ("403", "413", "415")
    if "requestBody" in operation or locations - {"path"}:
        yield "400"
    if "path" in locations or _has_pages(operation) or method == "delete":
        yield "404"


def _has_pages(operation: JsonObject) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))


def _error_response(status: str) -> JsonObject:
    shape = "FieldErrors" if status == "400" else "Error"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    return {"description": ERROR_DESCRIPTIONS[status], "content": content}


ReadingPart = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SchemaType:
    """What something is, in words; `shape` names the shape it is made of, if any."""

    text: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class FieldRow:
    name: str
    kind: SchemaType
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class ResponseRow:
    status: str
    kind: SchemaType
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    text: str
    who: str
    parameters: tuple[FieldRow, ...]
    body: SchemaType | None
    responses: tuple[ResponseRow, ...]

    @property
    def key(self) -> str:
        return f"{self.method}-{self.path}".lower().replace("/", "-")


class ApiReference:
    """Everything that the page shows. Answers that `always` may come are not repeated at each operation."""

    def __init__(self, openapi_document: ReadingPart) -> None:
        self.title, self.text = openapi_document["info"]["title"], openapi_document["info"]["description"]
        self.version = openapi_document["info"]["version"]
        found = [
            _operation_row(path, method, one)
            for path, methods in openapi_document["paths"].items()
            for method, one in methods.items()
        ]
        self.common_responses = [
            answer for answer in found[0].responses if all(answer in one.responses for one in found)
        ]
        self.operations = [
            (one, [it for it in one.responses if it not in self.common_responses]) for one in found
        ]
        self.schemas = [
            (name, _fields(shape)) for name, shape in openapi_document["components"]["schemas"].items()
        ]


def _operation_row(path: str, method: str, one: ReadingPart) -> Operation:
    body = one.get("requestBody", {}).get("content")
    return Operation(
        method=method.upper(),
        path=path,
        text=one.get("description", ""),
        who=", ".join(
            next(iter(scheme), "anybody, if the desk is public") for scheme in one.get("security", ())
        ),
        parameters=tuple(_parameter(parameter) for parameter in one.get("parameters", ())),
        body=_content(body) if body else None,
        responses=tuple(_response_row(status, answer) for status, answer in one["responses"].items()),
    )


def _parameter(one: ReadingPart) -> FieldRow:
    name = one["name"] if one["in"] == "query" else f"{one['name']} ({one['in']})"
    return FieldRow(name, schema_type(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _response_row(status: str, answer: ReadingPart) -> ResponseRow:
    return ResponseRow(status, _content(answer.get("content", {})), answer.get("description", ""))


def _content(content: ReadingPart) -> SchemaType:
    return schema_type(next(iter(content.values()))["schema"]) if content else SchemaType("nothing")


def _fields(shape: ReadingPart) -> list[FieldRow]:
    required = shape.get("required", ())
    fields = shape.get("properties", {}).items()
    rows = [
        FieldRow(name, schema_type(one), name in required, one.get("description", "")) for name, one in fields
    ]
    return rows or [FieldRow("", schema_type(shape), True, shape.get("description", ""))]


def schema_type(schema: ReadingPart) -> SchemaType:
    """In words: `list of Leg`, `decimal or null`, `BUY | SELL`."""
    found = _schema_type(schema)
    return SchemaType(f"{found.text} or null", found.shape) if schema.get("nullable") else found


def _schema_type(schema: ReadingPart) -> SchemaType:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return SchemaType(name, name)
    if "enum" in schema:
        return SchemaType(" | ".join("null" if one is None else str(one) for one in schema["enum"]))
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            kinds = [schema_type(one) for one in schema[several]]
            return SchemaType(" or ".join(kind.text for kind in kinds), kinds[0].shape)
    if schema.get("type") == "array":
        inner = schema_type(schema["items"])
        return SchemaType(f"list of {inner.text}", inner.shape)
    return SchemaType(str(schema.get("format") or schema.get("type") or "anything"))


@cache
def openapi_document() -> dict[str, Any]:
    """The same for everybody, so it is made once."""
    with override("en"):
        made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    return found


class SchemaView(APIView):
    """OpenAPI 3."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response(openapi_document())


@require_safe
@read_access_required
def api_docs(request: HttpRequest) -> HttpResponse:
    """What one may ask, what is answered, and who may."""
    return render(request, "docs.html", {"api": ApiReference(openapi_document())})
