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

from portfolio.security.access import readers_only

SCHEME = "token"
READING = ("GET", "HEAD")
PERSON = "Needs a session whose password was given in the last five minutes; no token is enough."
CHANGE = "Needs a login or a token with the scope `trade`."

Part = dict[str, Any]

SHAPES: Part = {
    "Error": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    "FieldErrors": {
        "type": "object",
        "description": "What is wrong, by the name of the field; `detail` is about the whole.",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
    },
}
WORDS = {
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

    def get_security_definition(self, auto_schema: AutoSchema) -> Part:
        return dict(build_bearer_security_scheme_object("Authorization", "Token"))


class Description(AutoSchema):
    """With who may do what. Reading may be open to everybody, by DASHBOARD_PUBLIC."""

    def get_auth(self) -> list[Part]:
        ways = list(super().get_auth())
        if self.method in READING:
            return [*ways, {}]
        return [way for way in ways if SCHEME not in way] if self._needs_a_person() else ways

    def get_description(self) -> str:  # type: ignore[override]  # as its own parent has it
        if self.method in READING:
            return str(super().get_description())
        return f"{super().get_description()} {PERSON if self._needs_a_person() else CHANGE}"

    def _needs_a_person(self) -> bool:
        return bool(getattr(self.view, "weakens_protection", False))


def add_errors(result: Part, generator: Any, request: Any, public: bool) -> Part:
    """Whatever can go wrong everywhere, so that no view has to say it."""
    result["components"]["schemas"] |= SHAPES
    for path in result["paths"].values():
        for method, operation in path.items():
            answers = operation["responses"]
            wrong = {status: _error(status) for status in _statuses(method, operation)}
            operation["responses"] = dict(sorted((wrong | answers).items()))
    return result


def _statuses(method: str, operation: Part) -> Iterator[str]:
    yield from ("401", "406", "429")
    given = {parameter["in"] for parameter in operation.get("parameters", ())}
    if method.upper() not in READING:
        yield from ("403", "413", "415")
    if "requestBody" in operation or given - {"path"}:
        yield "400"
    if "path" in given or _has_pages(operation) or method == "delete":
        yield "404"


def _has_pages(operation: Part) -> bool:
    return any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))


def _error(status: str) -> Part:
    shape = "FieldErrors" if status == "400" else "Error"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
    return {"description": WORDS[status], "content": content}


ReadingPart = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What something is, in words; `shape` names the shape it is made of, if any."""

    words: str
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    required: bool
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    kind: Kind
    words: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked."""

    method: str
    path: str
    words: str
    who: str
    parameters: tuple[Field, ...]
    body: Kind | None
    answers: tuple[Answer, ...]

    @property
    def key(self) -> str:
        return f"{self.method}-{self.path}".lower().replace("/", "-")


class Page:
    """Everything that the page shows. Answers that `always` may come are not repeated at each operation."""

    def __init__(self, document: ReadingPart) -> None:
        self.title, self.words = document["info"]["title"], document["info"]["description"]
        self.version = document["info"]["version"]
        found = [
            _operation(path, method, one)
            for path, methods in document["paths"].items()
            for method, one in methods.items()
        ]
        self.always = [answer for answer in found[0].answers if all(answer in one.answers for one in found)]
        self.operations = [(one, [it for it in one.answers if it not in self.always]) for one in found]
        self.shapes = [(name, _fields(shape)) for name, shape in document["components"]["schemas"].items()]


def _operation(path: str, method: str, one: ReadingPart) -> Operation:
    body = one.get("requestBody", {}).get("content")
    return Operation(
        method=method.upper(),
        path=path,
        words=one.get("description", ""),
        who=", ".join(next(iter(way), "anybody, if the desk is public") for way in one.get("security", ())),
        parameters=tuple(_parameter(parameter) for parameter in one.get("parameters", ())),
        body=_content(body) if body else None,
        answers=tuple(_answer(status, answer) for status, answer in one["responses"].items()),
    )


def _parameter(one: ReadingPart) -> Field:
    name = one["name"] if one["in"] == "query" else f"{one['name']} ({one['in']})"
    return Field(name, kind_of(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _answer(status: str, answer: ReadingPart) -> Answer:
    return Answer(status, _content(answer.get("content", {})), answer.get("description", ""))


def _content(content: ReadingPart) -> Kind:
    return kind_of(next(iter(content.values()))["schema"]) if content else Kind("nothing")


def _fields(shape: ReadingPart) -> list[Field]:
    required = shape.get("required", ())
    fields = shape.get("properties", {}).items()
    rows = [Field(name, kind_of(one), name in required, one.get("description", "")) for name, one in fields]
    return rows or [Field("", kind_of(shape), True, shape.get("description", ""))]


def kind_of(schema: ReadingPart) -> Kind:
    """In words: `list of Leg`, `decimal or null`, `BUY | SELL`."""
    found = _kind_of(schema)
    return Kind(f"{found.words} or null", found.shape) if schema.get("nullable") else found


def _kind_of(schema: ReadingPart) -> Kind:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Kind(name, name)
    if "enum" in schema:
        return Kind(" | ".join("null" if one is None else str(one) for one in schema["enum"]))
    for several in ("allOf", "oneOf", "anyOf"):
        if several in schema:
            kinds = [kind_of(one) for one in schema[several]]
            return Kind(" or ".join(kind.words for kind in kinds), kinds[0].shape)
    if schema.get("type") == "array":
        inner = kind_of(schema["items"])
        return Kind(f"list of {inner.words}", inner.shape)
    return Kind(str(schema.get("format") or schema.get("type") or "anything"))


@cache
def document() -> dict[str, Any]:
    """The same for everybody, so it is made once."""
    with override("en"):
        made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        found: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    return found


class Schema(APIView):
    """OpenAPI 3."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())


@require_safe
@readers_only
def docs(request: HttpRequest) -> HttpResponse:
    """What one may ask, what is answered, and who may."""
    return render(request, "docs.html", {"api": Page(document())})
