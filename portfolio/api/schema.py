"""What the API says of itself (OpenAPI 3): who may ask, and what is answered when it goes wrong."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object

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
    target_class = "portfolio.security.tokens.TokenAuthentication"
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
